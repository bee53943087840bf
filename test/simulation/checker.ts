import { parseBatch } from "../../shared/batch.ts"
import { decodeClientFrame, decodeEdgeFrame, type FrameData } from "../../shared/frames.ts"
import { HEADER } from "../../shared/http.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { PageText } from "../../shared/log-order.ts"
import type { Offset } from "../../shared/offset.ts"
import type { Device } from "./device.ts"
import type { DiskWatcher } from "./disk.ts"
import { checkImage, checkRemoved, eventsOf, outboxOf, positionOf, rejectedOf } from "./disk-check.ts"
import type { Edge, EdgeSocket } from "./edge.ts"
import { type Appended, type History, isKept } from "./history.ts"
import { foldLedger, isFolded, type LedgerEvent } from "./model.ts"
import type { Tab } from "./tab.ts"
import { type Trace, Violation } from "./trace.ts"

/** Compares what disks, rows and frames say with what was appended and with the edge's log, while the world runs. */
export class Checker {
  readonly #edge: Edge
  readonly #history: History
  readonly #trace: Trace
  /** A disk was put back to what it was: a number may be tried again, and the edge has to refuse it. */
  forgivesReuse = false
  readonly #numbers = new Map<string, string>()
  /** What each socket has asked last, by the id that it gave it. */
  readonly #asked = new WeakMap<EdgeSocket, { readonly id: number; readonly text: string }>()

  constructor(edge: Edge, history: History, trace: Trace) {
    this.#edge = edge
    this.#history = history
    this.#trace = trace
  }

  readonly log = (stream: StreamPath): readonly LedgerEvent[] =>
    this.#edge.object(stream).log as readonly LedgerEvent[] // the apps append nothing else

  /** Each transaction of a device's disk, as it takes effect. */
  watchDisk(device: string): DiskWatcher {
    return (changes, undo, image) =>
      this.#judge(() => {
        checkRemoved(device, image, undo, changes, this.log)
        if (changes.some(({ store }) => store === "streams")) checkImage(device, image, this.log)
      })
  }

  /** A device's disk as a tab would find it, now or with another image: whole, and with all that was ever stored. */
  checkDevice({ name, disk }: Device, image = disk.committed, isPromised = isKept): void {
    this.#judge(() => {
      checkImage(name, image, this.log)
      const entries = outboxOf(image).flatMap((entry) => eventsOf(entry))
      const kept = new Set([...entries, ...rejectedOf(image)].map(({ id }) => id))
      for (const appended of this.#history.all) {
        const { event, stream, device } = appended
        if (device !== name || !isPromised(appended) || kept.has(event.id)) continue
        const isConfirmed = this.log(stream).some(({ id }) => id === event.id)
        if (!isConfirmed)
          throw new Violation(
            "S19",
            `${name} stored ${event.id}; it is neither pending nor refused there, nor at the edge.`,
          )
      }
    })
  }

  /** An append as it reaches the edge: a number stands for the same bytes for ever. */
  readonly frame = (socket: EdgeSocket, stream: StreamPath, data: FrameData): void =>
    this.#judge(() => {
      const frame = decodeClientFrame(data)
      if (!frame.ok) throw new Violation("FRAME", frame.reason)
      const { producer, epoch, seq } = frame.value.fields
      const number = `${stream} ${producer} ${epoch} ${seq}`
      const [text, before] = [String(frame.value.body), this.#numbers.get(number)]
      const isOther = before !== undefined && before !== text
      if (isOther && this.forgivesReuse) this.#trace.fault("number used again", number)
      else if (isOther) throw new Violation("S16", `Other events were sent as ${number}.`)
      this.#numbers.set(number, text)
      this.#asked.set(socket, { id: frame.value.id, text })
    })

  /** A reply as it leaves the edge: where it says that a batch stands, the log has that batch. */
  readonly reply = (socket: EdgeSocket, stream: StreamPath, data: FrameData): void =>
    this.#judge(() => {
      const frame = decodeEdgeFrame(data)
      const asked = this.#asked.get(socket)
      if (!frame.ok || frame.value.t !== "reply" || asked?.id !== frame.value.id) return
      const { headers, status } = frame.value
      const [from, next] = [headers[HEADER.fromOffset], headers[HEADER.nextOffset]]
      const isTaken = status < 300 && headers[HEADER.producerConflict] === undefined
      if (!isTaken || from === undefined || next === undefined) return
      const [first, end] = [positionOf(from as Offset), positionOf(next as Offset)] // the edge gave them
      const stored = this.log(stream).slice(first, end)
      if (JSON.stringify(stored) !== JSON.stringify(parseBatch(asked.text)))
        throw new Violation("S17", `The edge said that a batch of ${stream} lies from ${from} to ${next}.`)
    })

  /** What a live query has told: the edge's log from its start, then only what this device has appended itself. */
  readonly places = (tab: Tab, stream: StreamPath, places: readonly string[]): void =>
    this.#judge(() => {
      if (new Set(places).size < places.length)
        throw new Violation("S2", `${tab.name} shows an event of ${stream} twice: ${repeated(places)}.`)
      const log = this.log(stream).filter(isFolded)
      const shared = places.findIndex((id, at) => log[at]?.id !== id)
      for (const id of shared === -1 ? [] : places.slice(shared)) {
        const appended = this.#history.get(id)
        if (appended === undefined || !tab.device.continues(appended.device))
          throw new Violation(
            "S5",
            `${tab.name} shows ${id} of ${stream} where the edge has ${log[shared]?.id}.`,
          )
        if (appended.state === "failed")
          throw new Violation("S7", `${tab.name} shows ${id}, which was not stored.`)
        if (appended.state === "rejected" && appended.tab === tab.name)
          throw new Violation("S7", `${tab.name} shows ${id} and was told that it is refused.`)
      }
    })

  /** A page that a consumer reads: what the edge's log has between its ends. */
  readonly page = (tab: Tab, stream: StreamPath, { from, next, text }: PageText): void =>
    this.#judge(() => {
      const stored = this.log(stream).slice(positionOf(from), positionOf(next))
      if (JSON.stringify(stored) !== JSON.stringify(parseBatch(text)))
        throw new Violation("S5", `${tab.name} reads other events of ${stream} from ${from} to ${next}.`)
    })

  /** A tab's rows in one moment: the fold of a prefix of the log and of what is pending, with all that it stored. */
  async look(tab: Tab, stream: StreamPath): Promise<boolean> {
    const seen = await tab.look(stream)
    if (seen === undefined) return false
    const { ledger, pending } = seen
    this.#judge(() => {
      const events = this.log(stream)
      const waiting = pending.map((id) => this.#appended(id).event).filter(isFolded)
      const read = ledger.places.length - waiting.length
      const expected = foldLedger([...events.filter(isFolded).slice(0, Math.max(0, read)), ...waiting])
      if (JSON.stringify(expected) !== JSON.stringify(ledger))
        throw new Violation("S12", `${tab.name} shows ${differing(ledger, expected)} of ${stream}.`)
      const shown = new Set(ledger.places)
      for (const appended of this.#history.of(tab.name)) {
        const { event, stream: of, turn } = appended
        if (of !== stream || !isKept(appended) || this.#edge.mayRefuse(stream, turn)) continue
        if (isFolded(event) && !shown.has(event.id))
          throw new Violation("S9", `${tab.name} stored ${event.id} and does not show it.`)
      }
    })
    return pending.length === 0 && ledger.places.length === this.log(stream).filter(isFolded).length
  }

  #appended(id: string): Appended {
    const appended = this.#history.get(id)
    if (appended === undefined) throw new Violation("S7", `Nobody has appended ${id}.`)
    return appended
  }

  #judge(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#trace.bug(error)
    }
  }
}

function repeated(ids: readonly string[]): string {
  return ids.find((id, at) => ids.indexOf(id) !== at) ?? "none"
}

function differing(one: object, other: object): string {
  return `${JSON.stringify(one)}, expected ${JSON.stringify(other)},`
}
