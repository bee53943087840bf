import type { StopReason } from "../../shared/connection.ts"
import { type ErrorData, HeadwaterError } from "../../shared/errors.ts"
import { EDGE_MARK, HEADER } from "../../shared/http.ts"
import { retryAfterMs } from "../../shared/retry-after.ts"
import type { Host } from "../host.ts"
import { Silence } from "./silence.ts"
import type { Tokens } from "./tokens.ts"

/** What came of asking the edge. Every outcome is a value: a network is allowed to fail. */
export type Exchange<T> =
  | { readonly kind: "done"; readonly value: T }
  /** The stream is not there. */
  | { readonly kind: "missing" }
  /** The edge says no, and will say so again. */
  | { readonly kind: "refused"; readonly reason: StopReason; readonly error: ErrorData }
  /** The stream is there, and the offset is no place in its log. */
  | { readonly kind: "gone" }
  /** No answer, or one that may be different next time. */
  | Failed

export type Failed = {
  readonly kind: "failed"
  readonly error: ErrorData
  /** The edge asked not to be tried again before so long. */
  readonly leastMs?: number | undefined
  /** Nothing shows that the edge was reached at all. */
  readonly unreached?: boolean
}

/** Every outcome but success. */
export type Failure = Exclude<Exchange<never>, { readonly kind: "done" }>

/** Requests to the edge, in the app's name, and what their answers mean for a client whatever was asked. */
export class EdgeRequests {
  readonly #host: Pick<Host, "fetch" | "after">
  /** Undefined: the app has none, and says nobody's name. */
  readonly #tokens: Tokens | undefined
  readonly #answered: () => void
  /** What the last request showed. */
  #shown: string | undefined
  /** Something else has answered: what it said may be in a cache now. */
  #isCacheDoubtful = false
  #areCachesWrong = false

  /** @param answered Called when the edge begins to answer, whatever it says. */
  constructor(host: Pick<Host, "fetch" | "after">, tokens?: Tokens, answered: () => void = () => {}) {
    this.#host = host
    this.#tokens = tokens
    this.#answered = answered
  }

  get hasTokens(): boolean {
    return this.#tokens !== undefined
  }

  /** What the last request showed is not taken. */
  tokenRefused(): void {
    if (this.#shown !== undefined) this.#tokens?.refused(this.#shown)
  }

  /** From now on nothing is believed of caches: the edge's log is another than it was, and they hold pages of that. */
  doubtCaches(): void {
    this.#areCachesWrong = true
  }

  /** Asks, and once more with a new token when the edge does not take the one that was kept. */
  async ask<T>(url: string, init: Asking, read: Reading<T>): Promise<Exchange<T>> {
    const answer = await this.#askOnce(url, init, read)
    const isRefused = answer.kind === "failed" && answer.error.code === "unauthorized"
    if (!isRefused || this.#shown === undefined || init.signal.aborted) return answer
    this.tokenRefused()
    return this.#askOnce(url, init, read)
  }

  /** Sends a request, and sorts answers by what they mean for a client. `read` judges those that succeeded. */
  async #askOnce<T>(url: string, init: Asking, read: Reading<T>): Promise<Exchange<T>> {
    if (init.signal.aborted) return unreached("unreachable", "Nobody waits for the answer any more.")
    const silence = new Silence(this.#host, init.signal)
    try {
      const token = await this.#token(silence.signal)
      if (token.kind !== "done") return token
      silence.heard() // of the app; the edge has as long again
      const response = await this.#host.fetch(url, {
        ...init,
        headers: { ...init.headers, ...token.value },
        signal: silence.signal,
        redirect: "manual", // who sends a request elsewhere is no edge, and its answer says so
        cache: this.#isCacheDoubtful || this.#areCachesWrong ? "reload" : "default",
      })
      silence.heard()
      this.#isCacheDoubtful = response.headers.get(HEADER.edge) !== EDGE_MARK
      if (this.#isCacheDoubtful) return notAnEdge(response, `${whatCame(response)}, without Headwater-Edge`)
      this.#answered()
      if (response.ok) return (await read(response, silence)) ?? done(undefined as T) // only `create` reads nothing
      return outcomeOf(response)
    } catch (reason) {
      return unreached("unreachable", `The edge did not answer: ${wordsOf(reason)}`)
    } finally {
      silence.end()
    }
  }

  /** The header that says who asks. The app may take its time, but no longer than a request. */
  async #token(signal: AbortSignal): Promise<Exchange<Record<string, string>>> {
    this.#shown = undefined
    if (this.#tokens === undefined) return done({})
    try {
      const token = await unlessAborted(this.#tokens.get(), signal)
      this.#shown = token
      return done({ authorization: `Bearer ${token}` })
    } catch (reason) {
      return unreached("unauthorized", `No token could be had: ${wordsOf(reason)}`)
    }
  }
}

type Asking = {
  readonly method: string
  readonly headers?: Record<string, string>
  readonly signal: AbortSignal
}

type Reading<T> = (response: Response, silence: Silence) => Promise<Exchange<T> | undefined> | undefined

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error("the app did not give one in time"))
    if (signal.aborted) abort()
    signal.addEventListener("abort", abort)
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort))
  })
}

function wordsOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}

function outcomeOf<T>(response: Response): Exchange<T> {
  const { status } = response
  if (status === 404) return { kind: "missing" }
  const earliest = response.headers.get(HEADER.earliestOffset)
  if (status === 410 && earliest !== null) return refused("diverged", whyTrimmed(earliest))
  if (status === 410 || status === 400) return { kind: "gone" }
  if (status === 409) return refused("diverged", "The edge has this stream with another configuration.")
  if (status === 401)
    return failed("unauthorized", "The edge does not take the token that it was shown, or wants one.")
  if (status === 403) return refused("forbidden", "The edge forbids this stream.")
  const leastMs = retryAfterMs(response.headers.get(HEADER.retryAfter))
  if (status === 429) return failed("throttled", "The edge takes no more of this for now.", leastMs)
  return failed("unreachable", `The edge answered ${status}.`, leastMs)
}

/** `earliest`: the edge lets old events go, and begins there. */
function whyTrimmed(earliest: string): string {
  return `The edge keeps this stream from ${earliest} on, and this device has read less: what is between is gone.`
}

export function notAnEdge<T>(response: Response, came: string): Exchange<T> {
  const expected = `an answer of an edge (Headwater-Edge: ${EDGE_MARK}, JSON with Stream-Next-Offset)`
  const message = `${response.url || "The edge's address"} should give ${expected}; it gave ${came}.`
  return unreached("not-an-edge", message)
}

function whatCame({ type, status, headers }: Response): string {
  if (type === "opaqueredirect") return "a redirect"
  return `${status} with ${headers.get("content-type") ?? "no content type"}`
}

export function done<T>(value: T): Exchange<T> {
  return { kind: "done", value }
}

export function failed(code: ErrorData["code"], message: string, leastMs?: number): Failed {
  return { kind: "failed", error: { code, message }, leastMs }
}

/** As `failed`, when it may be the way to the edge that has failed. */
export function unreached(code: ErrorData["code"], message: string): Failed {
  return { kind: "failed", error: { code, message }, unreached: true }
}

export function refused<T>(reason: StopReason, message: string): Exchange<T> {
  return {
    kind: "refused",
    reason,
    error: { code: reason === "diverged" ? "diverged" : "rejected", message },
  }
}

/** What came of asking, for an app that waits for it. `otherwise` is said of a stream that is not there or another. */
export function errorOf(failure: Failure, otherwise: string): HeadwaterError {
  if (failure.kind === "refused" || failure.kind === "failed") return HeadwaterError.fromData(failure.error)
  return new HeadwaterError("diverged", otherwise)
}
