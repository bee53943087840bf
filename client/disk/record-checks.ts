import { parseBatch } from "../../shared/batch.ts"
import { parseOffset, START } from "../../shared/offset.ts"
import { textSum } from "../../shared/text-sum.ts"
import { ABSENT } from "./records.ts"
import type { StoreName } from "./storage.ts"

/*
 * Disks and browsers have been seen to lose the end of a record, or to give one back that nobody wrote. What this
 * device keeps of its events says so itself, by a sum of what matters in it; all of a record has the types that its
 * reader goes by. Records without a sum were written before there was one, and count if they can be read.
 */

type Fields = Readonly<Record<string, unknown>>

/** The record as it is stored: with its sum, where its store has them. */
export function withSum(store: StoreName, record: object): object {
  const sum = sumOf(store, record as Fields) // any object is
  return sum === undefined ? record : { ...record, sum }
}

/** Whether a record is what its readers take it for. */
export function isSound(store: StoreName, raw: unknown): boolean {
  if (typeof raw !== "object" || raw === null) return false
  const fields = raw as Fields // as above
  if (!CHECKS[store](fields)) return false
  return fields.sum === undefined || fields.sum === sumOf(store, fields)
}

const CHECKS: Record<StoreName, (fields: Fields) => boolean> = {
  outbox: (fields) => isEntry(fields) && (fields.expected === undefined || isOffset(fields.expected)),
  pages: ({ stream, from, next, text, sum }) =>
    isName(stream) &&
    isOffset(from) &&
    isOffset(next) &&
    isText(text) &&
    (sum !== undefined || isBatch(text)),
  streams: (fields) => isName(fields.stream) && isOffset(fields.head) && isPosition(fields),
  meta: (fields) => {
    if (fields.name === "device") return isName(fields.id)
    if (fields.name === "rejected changes") return isCount(fields.count)
    if (String(fields.name).startsWith(ABSENT)) return isOffset(fields.upTo)
    return fields.name !== "term" || isCount(fields.term)
  },
  rejected: (fields) => isEntry(fields) && isError(fields.error) && typeof fields.at === "number",
  cursors: ({ stream, name, offset }) => isName(stream) && isText(name) && isOffset(offset),
}

function sumOf(store: StoreName, fields: Fields): string | undefined {
  switch (store) {
    case "outbox":
      return sum(fields.stream, fields.text, fields.count, fields.bytes, fields.expected)
    case "pages":
      return sum(fields.stream, fields.from, fields.next, fields.text, ...(fields.absent ? ["absent"] : []))
    case "streams": {
      const { stream, head, producer, epoch, nextSeq, knownEpoch, inFlight } = fields
      return sum(stream, head, producer, epoch, nextSeq, knownEpoch, JSON.stringify(inFlight))
    }
    default:
      return undefined
  }
}

function sum(...parts: readonly unknown[]): string {
  return textSum(parts.map(String))
}

function isEntry({ key, stream, text, count, bytes, sum }: Fields): boolean {
  if (!isCount(key) || !isName(stream) || !isText(text) || !isCount(count) || !isCount(bytes)) return false
  return sum !== undefined || isBatch(text)
}

/** Those of before there were producers have none of this. */
function isPosition({ producer, epoch, nextSeq, knownEpoch, inFlight }: Fields): boolean {
  if (!isName(producer) || ![epoch, nextSeq, knownEpoch].every(isWhole)) return false
  if (inFlight === null) return true
  if (typeof inFlight !== "object") return false
  const batch = inFlight as Fields // as above
  return isWhole(batch.epoch) && isWhole(batch.seq) && Array.isArray(batch.keys) && batch.keys.every(isCount)
}

function isError(raw: unknown): boolean {
  if (typeof raw !== "object" || raw === null) return false
  const { code, message } = raw as Fields // as above
  return isText(code) && isText(message)
}

function isBatch(text: unknown): boolean {
  try {
    return isText(text) && parseBatch(text).length >= 0
  } catch {
    return false
  }
}

function isOffset(raw: unknown): boolean {
  return isText(raw) && (raw === START || parseOffset(raw) !== undefined)
}

function isText(raw: unknown): raw is string {
  return typeof raw === "string"
}

function isName(raw: unknown): raw is string {
  return isText(raw) && raw !== ""
}

function isWhole(raw: unknown): boolean {
  return Number.isSafeInteger(raw) && Number(raw) >= 0
}

function isCount(raw: unknown): boolean {
  return isWhole(raw) && raw !== 0
}
