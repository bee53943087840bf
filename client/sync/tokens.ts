import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { isRecord, parseJson } from "../../shared/decoded.ts"
import type { Host } from "../host.ts"

/** Asks the app for a token. Rejects when it has none. */
export type AskForToken = () => Promise<string>

type Known = { readonly token: string; readonly goodUntil: number }

/** The app's tokens: asked for when a request needs one, kept until shortly before they end. */
export class Tokens {
  readonly #host: Pick<Host, "now" | "after">
  readonly #ask: AskForToken
  #known: Known | undefined
  #asking: Promise<string> | undefined

  constructor(host: Pick<Host, "now" | "after">, ask: AskForToken) {
    this.#host = host
    this.#ask = ask
  }

  /**
   * A token that may still be good. The app is asked once, however many wait. Rejects when it has none, or gives none
   * within `requestMsMax`; then the next call asks anew.
   */
  get(): Promise<string> {
    const known = this.#known
    if (known !== undefined && this.#host.now() < known.goodUntil) return Promise.resolve(known.token)
    this.#asking ??= this.#fetch()
    return this.#asking
  }

  /** The edge does not take it: the next one is another. One that has been replaced since changes nothing. */
  refused(token: string): void {
    if (this.#known?.token === token) this.#known = undefined
  }

  async #fetch(): Promise<string> {
    try {
      return await this.#inTime(this.#ask().then((token) => this.#learn(token)))
    } finally {
      this.#asking = undefined
    }
  }

  /** One that comes too late, from somebody who had to sign in first, serves the next request. */
  #learn(token: string): string {
    const known = { token, goodUntil: goodUntil(token) }
    if (this.#known === undefined || known.goodUntil > this.#known.goodUntil) this.#known = known
    return token
  }

  #inTime(answer: Promise<string>): Promise<string> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error("the app did not give one in time"))
      const stopTimer = this.#host.after(COMMON_LIMITS.requestMsMax, late)
      answer.then(resolve, reject).finally(stopTimer)
    })
  }
}

/**
 * Until when a token need not be asked for again; 0 when it does not say, so that it is asked for each time. Nobody
 * believes a token here: that is for the edge, and a wrong guess costs one more question.
 */
function goodUntil(token: string): number {
  const claims = parseJson(decodeBase64Url(token.split(".")[1] ?? ""))
  const exp = claims.ok && isRecord(claims.value) ? claims.value.exp : undefined
  return typeof exp === "number" ? exp * 1000 - COMMON_LIMITS.tokenLeadMs : 0
}

/** Text of Latin letters is enough: `exp` is digits, whatever the other claims are written in. */
function decodeBase64Url(text: string): string {
  try {
    return atob(text.replaceAll("-", "+").replaceAll("_", "/"))
  } catch {
    return "" // it is no token of the usual kind, which need not be
  }
}
