import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import type { PageText } from "../../shared/log-order.ts"
import { isAfter, type Offset, START } from "../../shared/offset.ts"
import { firstPosition } from "../../shared/outbox.ts"
import { ABSENT, type StoredEntry, type StoredPage, type StreamRecord } from "./records.ts"
import { Exists, type ReadTransaction, type Storage, type WriteTransaction } from "./storage.ts"
import { beginTerm, holdTerm } from "./terms.ts"
import { hasPassed } from "./way-back.ts"

/*
 * A log whose events are known by what was folded of them need not be here. It goes ahead: an absent page takes the
 * place of what lies between, from where the log had got to. So all pages still join, and what is absent can be filled
 * in later, page by page from its beginning: the absent page shrinks in the transaction that stores what it lacked.
 *
 * An event is confirmed by being read back. So a log goes ahead only when nothing of it waits for the edge. That
 * nothing was ever sent is not enough: a disk that was put back to an older copy of itself knows no better.
 */

/** The record in `meta` of where an absent page ends: the last one that was made. */
type AbsentRecord = { readonly name: string; readonly upTo: Offset }

/** How far a log goes, and where the last part of it ends that is absent; START when none is. */
export type Standing = { readonly head: Offset; readonly absentUpTo: Offset }

/** As `DeviceLog.goAhead`. */
export async function goAhead(
  storage: Storage,
  places: ReadonlyMap<StreamPath, Offset>,
  device: ProducerId,
): Promise<StreamPath[] | undefined> {
  const before = await waysAhead(storage, places, device)
  if (before === undefined || before.length === 0) return before && []
  const term = await beginTerm(storage) // from here on nobody else writes what is read now
  const ways = await waysAhead(storage, places, device)
  if (ways === undefined || ways.length === 0) return ways && []
  const write = (tx: WriteTransaction) => {
    holdTerm(tx, term)
    for (const { place, record } of ways) {
      const { stream, head } = record
      tx.put("pages", absentPage(stream, head, place))
      tx.put("streams", { ...record, head: place })
      tx.put("meta", { name: nameOf(stream), upTo: place } satisfies AbsentRecord)
    }
  }
  try {
    await storage.write("strict", write, ["pages", "streams", "meta"])
  } catch (reason) {
    if (reason instanceof Exists) return undefined // another tab has begun a term meanwhile, and may read on
    throw reason
  }
  return ways.map(({ record }) => record.stream)
}

/** As `DeviceLog.standing`. */
export async function standing(storage: Storage, stream: StreamPath): Promise<Standing> {
  const read = (tx: ReadTransaction) =>
    Promise.all([
      tx.get("streams", stream) as Promise<StreamRecord | undefined>, // the log writes these
      tx.get("meta", nameOf(stream)) as Promise<AbsentRecord | undefined>, // see above
    ])
  const [record, absent] = await storage.read(read, ["streams", "meta"])
  const upTo = absent?.upTo ?? START
  const page = upTo === START ? undefined : await storage.read((tx) => pageAt(tx, stream, upTo), ["pages"])
  return { head: record?.head ?? START, absentUpTo: page?.absent ? upTo : START }
}

/** As `DeviceLog.fillAbsent`. */
export function fillAbsent(
  storage: Storage,
  { stream, from, next }: StoredPage,
  page: PageText,
): Promise<boolean> {
  const fill = async (tx: WriteTransaction) => {
    const found = await pageAt(tx, stream, next)
    if (!found?.absent || found.from !== from) return false
    tx.put("pages", { stream, from, next: page.next, text: page.text } satisfies StoredPage)
    if (page.next !== next) tx.put("pages", absentPage(stream, page.next, next))
    return true
  }
  return storage.write("relaxed", fill, ["pages"])
}

type Way = { readonly place: Offset; readonly record: StreamRecord }

/** Where logs are to go ahead. Undefined when one cannot, or has come further by another way. */
async function waysAhead(
  storage: Storage,
  places: ReadonlyMap<StreamPath, Offset>,
  device: ProducerId,
): Promise<Way[] | undefined> {
  const waiting = (await storage.read((tx) => tx.getAll("outbox", {}), ["outbox"])) as StoredEntry[] // the log's own
  const ways: Way[] = []
  for (const [stream, place] of places) {
    const read = (tx: ReadTransaction) => tx.get("streams", stream) as Promise<StreamRecord | undefined> // the log's
    const found = await storage.read(read, ["streams"])
    const record = found ?? { stream, head: START, ...firstPosition(device) }
    if (!isAfter(place, record.head)) {
      const isThere = place === START || (await storage.read((tx) => hasPassed(tx, stream, place), ["pages"]))
      if (!isThere) return undefined
    } else if (record.inFlight !== null || waiting.some((entry) => entry.stream === stream)) return undefined
    else ways.push({ place, record })
  }
  return ways
}

function pageAt(tx: ReadTransaction, stream: StreamPath, next: Offset): Promise<StoredPage | undefined> {
  return tx.get("pages", [stream, next]) as Promise<StoredPage | undefined> // the log writes these
}

function absentPage(stream: StreamPath, from: Offset, next: Offset): StoredPage {
  return { stream, from, next, text: "", absent: true }
}

function nameOf(stream: StreamPath): string {
  return ABSENT + stream
}
