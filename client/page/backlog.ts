import { fullness, fullSentence, type Load, NOTHING, plus } from "../../shared/backlog.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { NewEntry } from "../port.ts"
import type { ClientStatus } from "../status.ts"

/** An entry of this page. `show` counts what the page has shown to its thread, this included. */
type HandedOut = Load & { readonly stream: StreamPath; readonly show: number }

/**
 * Counts what of each stream waits for the edge, so that the bound holds for any burst. The thread tells it of all
 * tabs, later than it happens; what this page has handed out since, and what it has heard of since, are counted here.
 */
export class Backlog {
  readonly #accounts = new Map<StreamPath, Account>()
  /** The entries of this page whose fate is not known, by ticket. */
  readonly #open = new Map<number, HandedOut>()
  #shows = 0

  /**
   * Counts entries that the page is about to show to its thread.
   * @throws HeadwaterError `backlog-full` when so much may not wait. They are not counted then, and not to be shown.
   */
  admit(stream: StreamPath, entries: readonly NewEntry[]): void {
    const account = this.#accountOf(stream)
    const loads = entries.map(({ ticket, count, bytes }) => ({ ticket, events: count, bytes }))
    const full = fullness(plus(account.waiting, total(loads)))
    if (full !== undefined)
      throw new HeadwaterError("backlog-full", fullSentence(stream, account.waiting, full))
    const show = ++this.#shows
    for (const { ticket, events, bytes } of loads) {
      const entry = { events, bytes, stream, show }
      this.#open.set(ticket, entry)
      account.untold.set(ticket, entry)
      account.since = plus(account.since, entry)
    }
  }

  /** The disk has refused an entry. */
  refused(ticket: number): void {
    const entry = this.#close(ticket)
    if (entry !== undefined) this.#accountOf(entry.stream).forget(ticket)
  }

  /** The edge has an entry. */
  confirmed(ticket: number): void {
    const entry = this.#close(ticket)
    if (entry === undefined) return
    const account = this.#accountOf(entry.stream)
    if (!account.forget(ticket)) account.gone = plus(account.gone, entry)
  }

  /** The edge has refused an entry. Whether it still waits is for the thread to tell. */
  rejected(ticket: number): void {
    this.#close(ticket)
  }

  /** The thread has counted, and had been shown so much of this page by then. */
  told(streams: ClientStatus["streams"], shows: number): void {
    for (const [path, { pending, pendingBytes }] of Object.entries(streams)) {
      const account = this.#accountOf(path as StreamPath) // the status is kept by path
      account.tell({ events: pending, bytes: pendingBytes }, shows)
    }
  }

  #close(ticket: number): HandedOut | undefined {
    const entry = this.#open.get(ticket)
    this.#open.delete(ticket)
    return entry
  }

  #accountOf(stream: StreamPath): Account {
    let account = this.#accounts.get(stream)
    if (account === undefined) {
      account = new Account()
      this.#accounts.set(stream, account)
    }
    return account
  }
}

/** One stream: what the thread has told last, and what was handed out and heard of since. */
class Account {
  /** Entries that the thread had not been shown when it told, by ticket, in the order of their showing. */
  readonly untold = new Map<number, HandedOut>()
  since = NOTHING
  gone = NOTHING
  #told = NOTHING

  get waiting(): Load {
    const { events, bytes } = plus(this.#told, this.since)
    return { events: Math.max(0, events - this.gone.events), bytes: Math.max(0, bytes - this.gone.bytes) }
  }

  tell(load: Load, shows: number): void {
    this.#told = load
    this.gone = NOTHING
    for (const [ticket, { show }] of this.untold) {
      if (show > shows) break
      this.forget(ticket)
    }
  }

  /** Whether the entry was among those that the thread had not told of. */
  forget(ticket: number): boolean {
    const entry = this.untold.get(ticket)
    if (entry === undefined) return false
    this.untold.delete(ticket)
    this.since = { events: this.since.events - entry.events, bytes: this.since.bytes - entry.bytes }
    return true
  }
}

function total(loads: readonly Load[]): Load {
  return loads.reduce(plus, NOTHING)
}
