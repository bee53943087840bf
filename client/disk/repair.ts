import type { Millis, ProducerId } from "../../shared/ids.ts"
import { START } from "../../shared/offset.ts"
import { firstPosition, type ProducerPosition } from "../../shared/outbox.ts"
import { isSound, withSum } from "./record-checks.ts"
import type { StorageKey, StoreName, WriteTransaction } from "./storage.ts"
import { endTerm, mendTerm } from "./terms.ts"

/** Pages that are looked at in one request. */
const PAGES_READ_MAX = 50

/** Above all offsets. */
const LAST = "\uffff"

/** A record that is not what its store's readers take it for. */
export type Damage = { readonly store: StoreName; readonly raw: unknown }

export type RepairParts = { readonly now: Millis; readonly fresh: ProducerId }

type Fields = Readonly<Record<string, unknown>>

/**
 * Makes damaged records harmless, and keeps all that is left of them.
 *
 *   a page            is put aside in `meta`, and the log ends before it: the rest is read again from the edge
 *   a stream's record is made anew from its pages, under a fresh producer
 *   an entry          that waits is moved to the refused events, as one of type `headwater.damaged`; it is never sent
 *   anything else     is put aside in `meta`
 *
 * Where a log was cut the term ends, so that no leader goes on behind the cut. Answers the streams that are others
 * than before.
 */
export async function repairIn(
  tx: WriteTransaction,
  damages: readonly Damage[],
  { now, fresh }: RepairParts,
): Promise<string[]> {
  const touched = new Set<string>()
  const cut = new Set<string>()
  for (const { store, raw } of damages) {
    const fields = fieldsOf(raw)
    const stream = String(fields.stream)
    if (store === "meta") await mendMeta(tx, fields)
    else if (store === "outbox" || store === "rejected") setAside(tx, store, fields, now)
    else if (store === "cursors") putAside(tx, store, [stream, String(fields.name)], fields)
    else cut.add(stream)
    touched.add(stream)
  }
  for (const stream of cut) await cutBack(tx, stream, fresh)
  if (cut.size > 0) {
    if (!isSound("meta", await tx.get("meta", "term"))) await mendTerm(tx)
    await endTerm(tx)
  }
  return [...touched]
}

async function mendMeta(tx: WriteTransaction, fields: Fields): Promise<void> {
  const name = String(fields.name)
  putAside(tx, "meta", name, fields)
  if (name === "term") await mendTerm(tx)
}

/** The refused events are listed; this one says what there was. */
function setAside(tx: WriteTransaction, store: "outbox" | "rejected", fields: Fields, now: Millis): void {
  const key = Number(fields.key)
  const event = { id: `damaged-${key}`, type: "headwater.damaged", data: fields }
  const text = JSON.stringify(event)
  const error = { code: "damaged", message: "The entry could not be read from this device's disk." }
  const stream = fields.stream || "damaged" // nobody knows whose it is: it is kept all the same
  const record = { key, stream: String(stream), text, count: 1, bytes: text.length, error, at: now }
  if (store === "outbox") tx.delete("outbox", key)
  tx.put("rejected", record)
}

function putAside(
  tx: WriteTransaction,
  store: "meta" | "cursors" | "pages",
  key: StorageKey,
  record: object,
) {
  tx.put("meta", { name: `damaged:${store}:${String(key)}`, record })
  tx.delete(store, key)
}

/** Ends the log of a stream before its first page that is damaged or missing. */
async function cutBack(tx: WriteTransaction, stream: string, fresh: ProducerId): Promise<void> {
  let head: string = START
  let isWhole = true
  for (let after: StorageKey = [stream]; ; ) {
    const pages = await tx.getAll("pages", { after, upTo: [stream, LAST] }, PAGES_READ_MAX)
    for (const page of pages.map(fieldsOf)) {
      const key = [stream, String(page.next)]
      after = key
      if (isWhole && isSound("pages", page) && page.from === head) {
        head = String(page.next)
        continue
      }
      if (isWhole) putAside(tx, "pages", key, page)
      else tx.delete("pages", key)
      isWhole = false
    }
    if (pages.length < PAGES_READ_MAX) break
  }
  const found = await tx.get("streams", stream)
  const position = isSound("streams", found) ? positionIn(fieldsOf(found)) : firstPosition(fresh)
  if (found !== undefined && !isSound("streams", found))
    tx.put("meta", { name: `damaged:streams:${stream}`, record: found })
  tx.put("streams", withSum("streams", { stream, head, ...position }))
}

function positionIn({ producer, epoch, nextSeq, knownEpoch, inFlight }: Fields): ProducerPosition {
  return { producer, epoch, nextSeq, knownEpoch, inFlight } as ProducerPosition // of a record that is sound
}

function fieldsOf(raw: unknown): Fields {
  return typeof raw === "object" && raw !== null ? (raw as Fields) : {} // any object is
}
