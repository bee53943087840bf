import { BesideLog } from "../../client/disk/beside-log.ts"
import { DeviceLog } from "../../client/disk/log.ts"
import { MemoryStorage } from "../../client/disk/memory-storage.ts"
import type { StoredEntry } from "../../client/disk/records.ts"
import { NO_KEY } from "../../client/disk/records.ts"
import type { ThreadLink } from "../../client/page/thread-link.ts"
import { exportLines, type ImportResult, type ImportSource, importLines } from "../../client/page/transfer.ts"
import type { EntryKind } from "../../client/port.ts"
import type { Replica } from "../../client/replica/replica.ts"
import type { ClientStatus, StreamStatus } from "../../client/status.ts"
import { Importer } from "../../client/thread/importer.ts"
import { LogReaders } from "../../client/thread/log-readers.ts"
import { type Load, NOTHING, plus } from "../../shared/backlog.ts"
import { EMPTY_CHAIN } from "../../shared/chain.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import { issueOffset, type Offset, START } from "../../shared/offset.ts"
import { localLocks } from "../support/local-locks.ts"
import { directLink } from "./direct-link.ts"

export const STREAM = "tests/log" as StreamPath

/** A device that imports and exports, whose disk can be full, and whose edge makes room when it is told to. */
export class ImportingDevice {
  readonly listeners = new Set<(status: ClientStatus) => void>()
  readonly #storage = new MemoryStorage()
  readonly #log = new FillingLog(this.#storage)
  readonly #link: ThreadLink
  #elsewhere = NOTHING
  #status = { pending: 0, pendingBytes: 0, connection: "waiting" as StreamStatus["connection"] }

  constructor() {
    const parts = {
      host: localLocks(),
      log: this.#log,
      whole: this.#log,
      beside: new BesideLog(this.#storage),
      name: "account",
    }
    const replica = async () => (await this.#waiting()) as Replica // all of one that is used
    const importer = new Importer({ ...parts, replica, stored: () => this.#changed() })
    const readers = new LogReaders({ ...parts, head: () => START })
    this.#link = directLink({ readers, importer, beside: parts.beside })
  }

  import(source: ImportSource): Promise<ImportResult> {
    const onStatus = (listener: (status: ClientStatus) => void) => {
      this.listeners.add(listener)
      listener(this.#statusNow())
      return () => void this.listeners.delete(listener)
    }
    return importLines({ link: this.#link, onStatus }, STREAM, source)
  }

  async exported(what: "log" | EntryKind): Promise<string> {
    let text = ""
    for await (const line of exportLines(this.#link, STREAM, { what })) text += line
    return text
  }

  async entries(): Promise<StoredEntry[]> {
    return (await this.#log.open(STREAM, NO_KEY, "device" as ProducerId)).entries
  }

  async pending(): Promise<string[]> {
    return (await this.entries()).map(({ text }) => text)
  }

  /** So much waits for the edge besides. */
  async elsewhere(load: Partial<Load>): Promise<void> {
    this.#elsewhere = { ...NOTHING, ...load }
    await this.#changed()
  }

  async connection(connection: StreamStatus["connection"]): Promise<void> {
    this.#status = { ...this.#status, connection }
    await this.#changed()
  }

  fullAfter(appends: number): void {
    this.#log.appendsLeft = appends
  }

  async put(store: "outbox" | "rejected", key: number, text: string, stream = STREAM): Promise<void> {
    const entry = { key, stream, text, count: 1, bytes: text.length }
    await this.#storage.write("relaxed", (tx) => tx.put(store, entry))
  }

  async logged(pages: readonly string[][]): Promise<void> {
    let [from, position]: [Offset, number] = [START, 0]
    for (const page of pages) {
      position += page.length
      const next = issueOffset({ generation: 1, position, chain: EMPTY_CHAIN })
      const record = { stream: STREAM, from, next, text: page.join(",") }
      await this.#storage.write("relaxed", (tx) => tx.put("pages", record))
      from = next
    }
    await this.#storage.write("relaxed", (tx) => tx.put("streams", { stream: STREAM, head: from }))
  }

  async #waiting(): Promise<{ pendingEvents: number; pendingBytes: number }> {
    const { events, bytes } = (await this.entries())
      .map((entry) => ({ events: entry.count, bytes: entry.bytes }))
      .reduce(plus, this.#elsewhere)
    return { pendingEvents: events, pendingBytes: bytes }
  }

  async #changed(): Promise<void> {
    const { pendingEvents, pendingBytes } = await this.#waiting()
    this.#status = { ...this.#status, pending: pendingEvents, pendingBytes }
    for (const listener of [...this.listeners]) listener(this.#statusNow())
  }

  #statusNow(): ClientStatus {
    return { streams: { [STREAM]: this.#status } } as unknown as ClientStatus // all of one that is used
  }
}

/** A log on a disk that is full after some appends. */
class FillingLog extends DeviceLog {
  appendsLeft = Number.POSITIVE_INFINITY

  override async append(...what: Parameters<DeviceLog["append"]>): ReturnType<DeviceLog["append"]> {
    if (this.appendsLeft-- <= 0) throw new HeadwaterError("storage-full", "The disk is full.")
    return super.append(...what)
  }
}
