import type { Client, ClientStatus, View } from "headwater"
import { type Pending, readPending, type Streams } from "./pending.ts"
import { QUERIES, type Rows } from "./queries.ts"

/** Everything there is to see, as of one moment. */
export type Scene = {
  readonly rows: Rows
  readonly pending: Pending
  readonly status: ClientStatus
}

export type Panel = (scene: Scene) => void

const NO_ROWS: Rows = { products: [], orders: [], totals: [], log: [], ordersLane: [], catalogueLane: [] }

/**
 * Gathers what the live queries say and paints it, at most once a frame.
 *
 * Rows never appear without knowing which of them wait: what is pending is asked after the rows came, so an event that
 * is shown as confirmed is.
 */
export class Board {
  readonly #streams: Streams
  readonly #rows: Rows = { ...NO_ROWS }
  readonly #unanswered = new Set(Object.keys(QUERIES))
  readonly #onError: (error: unknown) => void
  #panels: readonly Panel[] = []
  #status: ClientStatus
  #round: Promise<void> = Promise.resolve()
  #isPainting = false
  #isStale = false
  /** Who waits for the round after this one. */
  #waiting: (() => void)[] = []

  constructor(client: Client, streams: Streams, onError: (error: unknown) => void) {
    this.#streams = streams
    this.#onError = onError
    this.#status = client.status
    client.onStatus((status) => {
      this.#status = status
      this.#changed()
    })
  }

  /** Begins to follow the view, and shows it in these panels once all of it has arrived. */
  follow(view: View, panels: readonly Panel[]): void {
    this.#panels = panels
    for (const name of Object.keys(QUERIES) as (keyof Rows)[]) this.#followOne(view, name)
  }

  /** Resolves when everything that has arrived so far is on the screen. */
  async painted(): Promise<void> {
    if (this.#isStale) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else await this.#round
  }

  #followOne<Name extends keyof Rows>(view: View, name: Name): void {
    const onRows = (rows: Rows[Name][number][]) => {
      this.#rows[name] = rows as Rows[Name] // a list of its own elements
      this.#unanswered.delete(name)
      this.#changed()
    }
    view.live<Rows[Name][number]>(QUERIES[name], [], onRows, this.#onError)
  }

  #changed(): void {
    this.#isStale = true
    if (this.#unanswered.size === 0 && !this.#isPainting) void this.#paint()
  }

  /** Round after round, until nothing has changed since the last one began. */
  async #paint(): Promise<void> {
    this.#isPainting = true
    while (this.#isStale) {
      this.#round = this.#paintOnce().catch(this.#onError)
      await this.#round
    }
    this.#isPainting = false
  }

  async #paintOnce(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve)) // one event changes several answers, which come one by one
    this.#isStale = false
    const waiting = this.#waiting
    this.#waiting = []
    const seen = { rows: { ...this.#rows }, status: this.#status }
    const pending = await readPending(this.#streams)
    await nextFrame()
    for (const panel of this.#panels) panel({ ...seen, pending })
    for (const resolve of waiting) resolve()
  }
}

/** A page that nobody sees gets no frames; it is kept up to date all the same. */
function nextFrame(): Promise<unknown> {
  if (document.hidden) return Promise.resolve()
  return new Promise((resolve) => {
    requestAnimationFrame(resolve)
    setTimeout(resolve, FRAME_MS_MAX)
  })
}

const FRAME_MS_MAX = 250
