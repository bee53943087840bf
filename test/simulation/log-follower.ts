import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { PageText } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"
import type { Scheduler } from "./scheduler.ts"
import { AWAY, type Tab } from "./tab.ts"

/** Before a consumer comes again whose disk could not be read. */
const PAUSE_MS = 100

/** Reads the log of a stream in one tab, from its start and on with what arrives, as a consumer of the app's does. */
export class LogFollower {
  readonly tab: Tab
  readonly stream: StreamPath
  readonly #scheduler: Scheduler
  readonly #onPage: (page: PageText) => void
  #at = START

  constructor(tab: Tab, stream: StreamPath, scheduler: Scheduler, onPage: (page: PageText) => void) {
    this.tab = tab
    this.stream = stream
    this.#scheduler = scheduler
    this.#onPage = onPage
  }

  /** How far it has read. */
  get at(): Offset {
    return this.#at
  }

  async run(): Promise<void> {
    try {
      await this.#read()
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error
      if (error.code === "closed" || !this.tab.isAlive) return
      if (!error.code.startsWith("storage") && !AWAY.has(error.code)) throw error
      this.#scheduler.after(PAUSE_MS, `${this.tab.name} reads again`, () => void this.run())
    }
  }

  async #read(): Promise<void> {
    const request = { from: this.#at, live: true, cursor: undefined }
    const reader = await this.tab.ask((engine) => engine.openReader(this.stream, request))
    for (;;) {
      const page = await this.tab.ask((engine) => engine.readOn(reader))
      if (page === undefined) return
      if (page.from !== this.#at) throw new Error(`A page from ${page.from} was read at ${this.#at}.`)
      this.#onPage(page)
      this.#at = page.next
    }
  }
}
