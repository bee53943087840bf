import { HeadwaterError } from "../../shared/errors.ts"
import type { EventSchemas, HeadwaterEvent, StreamDefinition } from "../../shared/events.ts"
import { type EventId, parseStreamPath, type StreamPath } from "../../shared/ids.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import { isPattern } from "../../shared/path-pattern.ts"
import type { ViewDefinition } from "../../shared/view/definition.ts"
import { browserClock } from "../clock.ts"
import type { AppendLog } from "../disk/append-log.ts"
import { deleteIdb } from "../disk/idb-deletion.ts"
import { freeSnapshots } from "../disk/idb-snapshots.ts"
import type { RejectedEvent } from "../disk/rejections.ts"
import type { Durability } from "../disk/storage.ts"
import { databaseName, type NewEntry, type Notice, type OpenOptions, type Reply } from "../port.ts"
import { type ClientStatus, withTotals } from "../status.ts"
import { askedView, type ViewOptions, type ViewStreams } from "./asked-view.ts"
import { DeviceStorage } from "./device-storage.ts"
import { accountName, edgeAddress, insecure, noTokenGiver } from "./options.ts"
import { Outgoing } from "./outgoing.ts"
import { openDiskLog, type PageLog, threadLog } from "./page-log.ts"
import { Stream } from "./stream.ts"
import { ThreadLink } from "./thread-link.ts"
import { View } from "./view.ts"

export type ConnectOptions = {
  /** The edge's address, for example `https://streams.example`. It need not be reachable. */
  readonly edge: string
  /**
   * Whose data this is, for example a user's id. Each account has its own log, pending events and views on a device;
   * signing in again finds them. Default: one for everybody. Events carry it in their `source`; at an edge that asks
   * for tokens it is the `sub` of this user's token, or the edge refuses them.
   */
  readonly account?: string
  /**
   * Gives the token (a JWT) that says to the edge who this is. Called when a request needs one: at first, shortly
   * before the last one ends, and once more when the edge does not take it. When it rejects, the client is as
   * offline, and asks again later. Default: none, for an edge whose access is open.
   */
  readonly token?: TokenGiver
}

export type TokenGiver = () => string | Promise<string>

type ClientParts = {
  readonly link: ThreadLink
  /** Undefined where the browser gives none: the thread keeps the log. */
  readonly disk: AppendLog | undefined
  readonly database: string
  readonly token: TokenGiver | undefined
}

const NO_STATUS = withTotals({ role: "follower", paused: false, streams: {}, halts: [], views: [] })

/** One app's connection to its streams: the log of this device, in step with the edge whenever there is a network. */
export class Client {
  readonly #link: ThreadLink
  readonly #disk: AppendLog | undefined
  readonly #log: PageLog
  readonly #storage: DeviceStorage
  readonly #outgoing: Outgoing
  readonly #listeners = new Set<(status: ClientStatus) => void>()
  readonly #opened = new Map<StreamPath, Promise<void>>()
  readonly #token: TokenGiver | undefined
  readonly #database: string
  #source: string | undefined
  #status: ClientStatus
  #closing: Promise<void> | undefined
  #closed = false

  private constructor({ link, disk, database, token }: ClientParts) {
    const log = disk ?? threadLog(link)
    this.#database = database
    this.#link = link
    this.#disk = disk
    this.#log = log
    this.#token = token
    this.#storage = new DeviceStorage(disk?.health, browserClock, navigator.storage)
    this.#status = { ...NO_STATUS, storage: this.#storage.status }
    this.#storage.onChange((storage) => this.#became({ ...this.#status, storage }))
    this.#outgoing = new Outgoing({
      lasts: disk !== undefined,
      write: (stream, entries, durability, replaced) => this.#write(stream, entries, durability, replaced),
      flush: () => log.flush(),
      after: browserClock.after,
      show: (stream, entries) => link.ask(link.engine.show(stream, entries)),
      stored: (stream, tickets, keys) => link.ask(link.engine.stored(stream, tickets, keys)),
      refused: (stream, tickets) => link.ask(link.engine.refused(stream, tickets)),
      secure: (stream, tickets) => link.ask(link.engine.secure(stream, tickets)),
    })
  }

  /** `connect` by its other name. */
  static async connect(options: ConnectOptions): Promise<Client> {
    if (!globalThis.isSecureContext) throw insecure()
    const { token, account } = options ?? {}
    if (token !== undefined && typeof token !== "function") throw noTokenGiver(token)
    const whose = { edge: edgeAddress(options?.edge), account: accountName(account) }
    const database = databaseName(whose)
    const disk = await openDiskLog(database)
    const storage = disk === undefined ? "memory" : "disk"
    const open: OpenOptions = { ...whose, hasToken: token !== undefined, storage }
    const link = await ThreadLink.start()
    const client = new Client({ link, disk, database, token })
    try {
      const device = await link.open(open, (notice) => client.#hear(notice))
      client.#source = account === undefined ? device : `${account}/${device}`
    } catch (reason) {
      link.terminate()
      disk?.close()
      throw reason
    }
    return client
  }

  /** How this device stands: a plain value, replaced with each change. */
  get status(): ClientStatus {
    return this.#status
  }

  /** Calls `listener` with the status now and after each change. Returns the way to stop. */
  onStatus(listener: (status: ClientStatus) => void): () => void {
    this.#listeners.add(listener)
    listener(this.#status)
    return () => void this.#listeners.delete(listener)
  }

  /**
   * A stream to append to. It need not exist at the edge: it is made there when this device first reaches it.
   *
   * @param path For example `acme/orders`.
   * @throws HeadwaterError `invalid-path`.
   */
  stream<S extends EventSchemas>(definition: StreamDefinition<S>, path: string): Stream<S> {
    const stream = parseStreamPath(path)
    this.#open(stream).catch(() => {}) // `append` and `pending` meet the same error and report it
    const source = this.#source
    if (source === undefined)
      throw new Error("Headwater bug: a client is handed out before its thread has opened")
    return new Stream(definition, stream, {
      source,
      outgoing: this.#outgoing,
      pending: (of) => this.#pending(of),
      link: this.#link,
      onStatus: (listener) => this.onStatus(listener),
      rejected: (of) => this.#rejected(of),
      dismiss: (of, ids) => this.#dismiss(of, ids),
      recover: (of, reappended) => this.#link.ask(this.#link.engine.recover(of, reappended)),
    })
  }

  /**
   * Opens a view over streams: for each of its sources a path, or a pattern such as `boards/*`, which follows every
   * stream that this device has or comes to have. Resolves when its rows are those of everything that this device has;
   * what the edge has beyond that follows by itself.
   *
   * @throws HeadwaterError `invalid-view` when its SQL does not compile, is not deterministic or touches what is not
   * its own, naming source, event type and statement; `invalid-path`; `unreachable` and the like when a part of a log
   * is needed that is only at the edge.
   */
  async view<V extends ViewDefinition>(
    view: V,
    streams: ViewStreams<V>,
    options: ViewOptions = {},
  ): Promise<View> {
    const asked = askedView(view, streams, options)
    const paths =
      asked.edgeView !== undefined
        ? []
        : (Object.values(asked.streams).filter((reads) => !isPattern(reads)) as StreamPath[]) // parsed there
    for (const path of paths) this.#open(path).catch(() => {}) // the view meets the same error and reports it
    return new View(this.#link, await this.#link.ask(this.#link.engine.openView(asked)))
  }

  /** Leaves the network, in all tabs of this account, until `resume`. Everything else goes on. */
  async pause(): Promise<void> {
    await this.#link.ask(this.#link.engine.setPaused(true))
  }

  /** Takes up the network again after `pause`. */
  async resume(): Promise<void> {
    await this.#link.ask(this.#link.engine.setPaused(false))
  }

  /**
   * Ends the client. What was appended is on disk when it resolves; what the edge does not have yet is sent by another
   * tab, or next time. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /**
   * Deletes everything that this device has of the account, in all tabs, and ends the client; other tabs' clients take
   * nothing any more, and say so (`closed`). What the edge has stays there. For a user who signs out of a device.
   *
   * @param options `force`: also what is on this device alone, which is lost then.
   * @throws HeadwaterError `pending` when events wait for the edge, or were refused by it, and `force` is not set:
   * nothing was done. `storage-unavailable` when another tab holds the database (it is frozen, or of an older version
   * of the app): the client is closed, and everything goes when that tab does.
   */
  async clear({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    if (this.#closed) throw closed()
    await this.#disk?.condemn(force)
    await this.close()
    if (this.#disk === undefined) return
    await freeSnapshots(this.#database)
    await deleteIdb(this.#database, browserClock)
  }

  async #close(): Promise<void> {
    await Promise.resolve() // what was appended in this task goes first
    this.#closed = true
    await this.#outgoing.idle()
    await this.#link.ask(this.#link.engine.close()).catch(() => {}) // a thread that has failed holds nothing
    this.#link.terminate()
    this.#log.close()
    this.#outgoing.abandon(closed())
    this.#listeners.clear()
    this.#storage.close()
  }

  #open(stream: StreamPath): Promise<void> {
    let opened = this.#opened.get(stream)
    if (opened === undefined) {
      opened = this.#link.ask(this.#link.engine.openStream(stream))
      this.#opened.set(stream, opened)
      opened.catch(() => this.#opened.delete(stream)) // asked again, it may be answered
    }
    return opened
  }

  /** Runs to the disk at once: an async function does until its first await. */
  async #write(
    stream: StreamPath,
    entries: readonly NewEntry[],
    durability: Durability,
    replaced?: EventId,
  ): Promise<OutboxKey[]> {
    if (this.#closed) throw closed()
    const [first] = entries
    if (replaced === undefined || first === undefined) {
      const written = this.#log.append(stream, entries, durability)
      this.#storage.appended()
      return written
    }
    const key = await this.#log.replace(stream, first, replaced)
    this.#dismiss(stream, [replaced]).catch(() => {}) // it is; tabs that are not told find out when they look again
    return [key]
  }

  async #rejected(stream: StreamPath): Promise<RejectedEvent[]> {
    await this.#open(stream)
    return this.#link.ask(this.#link.engine.rejected(stream))
  }

  #dismiss(stream: StreamPath, ids: readonly EventId[]): Promise<void> {
    return this.#link.ask(this.#link.engine.dismiss(stream, ids))
  }

  async #pending(stream: StreamPath): Promise<HeadwaterEvent[]> {
    await this.#open(stream)
    return this.#link.ask(this.#link.engine.pending(stream))
  }

  #hear(notice: Notice): void {
    if (notice.kind === "token-wanted") return void this.#giveToken(notice.ask)
    if (notice.kind !== "status") return this.#outgoing.settle(notice)
    this.#outgoing.counted(notice)
    this.#became({ ...notice.status, storage: this.#storage.status })
  }

  #became(status: ClientStatus): void {
    this.#status = status
    for (const listener of this.#listeners) listener(status)
  }

  async #giveToken(ask: number): Promise<void> {
    const token = await askApp(this.#token)
    if (!this.#closed) await this.#link.engine.giveToken(ask, token)
  }
}

/** What the app answers, as plain data: whatever its function throws is a reason to have no token. */
async function askApp(giver: TokenGiver | undefined): Promise<Reply<string>> {
  try {
    const token: unknown = await giver?.() // apps without types give anything
    if (typeof token === "string" && token !== "") return { ok: true, value: token }
    throw new TypeError(`token() should give a non-empty string; ${typeof token} came.`)
  } catch (reason) {
    const message = reason instanceof Error ? reason.message : String(reason)
    return { ok: false, error: { code: "unauthorized", message } }
  }
}

function closed(): HeadwaterError {
  return new HeadwaterError("closed", "The client is closed.")
}
