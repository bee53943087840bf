import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import type { Host } from "../host.ts"

/**
 * Ends an exchange of which nothing is heard for `requestMsMax`. Each sign of life begins the time anew, so what is
 * long and comes slowly is waited for, and what has died is not.
 */
export class Silence {
  readonly #host: Pick<Host, "after">
  readonly #outer: AbortSignal
  readonly #exchange = new AbortController()
  #stopTimer: () => void = () => {}

  /** @param outer Ends the exchange as well. */
  constructor(host: Pick<Host, "after">, outer: AbortSignal) {
    this.#host = host
    this.#outer = outer
    outer.addEventListener("abort", this.#abort)
    this.heard()
  }

  /** Aborted when it has been silent for too long, and when the exchange is over. */
  get signal(): AbortSignal {
    return this.#exchange.signal
  }

  heard(): void {
    this.#stopTimer()
    this.#stopTimer = this.#host.after(COMMON_LIMITS.requestMsMax, this.#abort)
  }

  /** The exchange is over. What was not read of its answer is let go. */
  end(): void {
    this.#stopTimer()
    this.#outer.removeEventListener("abort", this.#abort)
    this.#abort()
  }

  /** The text of a body, however long it takes to come, as long as it comes. Rejects when it breaks off. */
  async textOf({ body }: Response): Promise<string> {
    if (body === null) return ""
    const decoder = new TextDecoder()
    const reader = body.getReader()
    let text = ""
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text + decoder.decode()
      this.heard()
      text += decoder.decode(value, { stream: true })
    }
  }

  readonly #abort = (): void => this.#exchange.abort()
}
