import type { StopReason } from "../../shared/connection.ts"
import { isRecord, parseJson } from "../../shared/decoded.ts"
import type { ErrorData } from "../../shared/errors.ts"
import { SUBPROTOCOL, TICKET_PREFIX } from "../../shared/frames.ts"
import { EDGE_MARK, HEADER, JSON_TYPE } from "../../shared/http.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import { type Offset, parseOffset } from "../../shared/offset.ts"
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

export type ReadPage = { readonly page: Page; readonly upToDate: boolean; readonly closed: boolean }

/** One stream at the edge, over HTTP: what a client needs before it can listen on a socket. */
export class EdgeStream {
  readonly #host: Pick<Host, "fetch" | "after">
  readonly #url: string
  readonly #ticketUrl: string
  /** Undefined: the app has none, and says nobody's name. */
  readonly #tokens: Tokens | undefined
  readonly #answered: () => void
  /** What the last request showed. */
  #shown: string | undefined
  /** Something else has answered: what it said may be in a cache now. */
  #isCacheDoubtful = false
  #areCachesWrong = false

  /** @param answered Called when the edge begins to answer, whatever it says. */
  constructor(
    host: Pick<Host, "fetch" | "after">,
    edge: string,
    stream: StreamPath,
    tokens?: Tokens,
    answered: () => void = () => {},
  ) {
    this.#host = host
    this.#url = `${edge}/v1/stream/${stream}`
    this.#ticketUrl = `${edge}/v1/ticket/${stream}`
    this.#tokens = tokens
    this.#answered = answered
  }

  /** The address of the socket that tells what comes after an offset. */
  socketUrl(after: Offset): string {
    return `${this.#url.replace(/^http/, "ws")}?offset=${after}&live=ws`
  }

  /** The subprotocols to offer when opening that socket: a browser shows who it is by a ticket among them. */
  async socketProtocols(signal: AbortSignal): Promise<Exchange<string[]>> {
    if (this.#tokens === undefined) return done([SUBPROTOCOL])
    return this.#ask(this.#ticketUrl, { method: "POST", signal }, async (response, silence) => {
      const body = parseJson(await silence.textOf(response))
      const ticket = body.ok && isRecord(body.value) ? body.value.ticket : undefined
      if (typeof ticket === "string") return done([SUBPROTOCOL, `${TICKET_PREFIX}${ticket}`])
      return notAnEdge(response, "no ticket")
    })
  }

  /** The socket was closed for what the last ticket was given for. */
  socketRefused(): void {
    if (this.#shown !== undefined) this.#tokens?.refused(this.#shown)
  }

  /** Makes the stream; that it is there already is as good. */
  async create(signal: AbortSignal): Promise<Exchange<void>> {
    const headers = { "content-type": JSON_TYPE }
    const answer = await this.#ask<void>(this.#url, { method: "PUT", headers, signal }, () => undefined)
    if (answer.kind === "missing" && this.#tokens !== undefined)
      return failed("unauthorized", "The stream is not there for this account, which may not make it either.")
    if (answer.kind === "missing")
      return unreached("not-an-edge", `${this.#url} should let a stream be made; it gave 404.`)
    if (answer.kind !== "refused" || answer.reason !== "diverged") return answer
    return refused("not-json", "The stream exists at the edge and does not hold JSON.")
  }

  /** Reads what comes after an offset: one page of it, as large as the edge likes. */
  read(after: Offset, signal: AbortSignal): Promise<Exchange<ReadPage>> {
    return this.#ask(`${this.#url}?offset=${after}`, { method: "GET", signal }, async (response, silence) => {
      const type = response.headers.get("content-type") ?? "none"
      const next = parseOffset(response.headers.get("stream-next-offset") ?? "")
      if (next === undefined) return notAnEdge(response, `content type ${type}, no Stream-Next-Offset`)
      if (!type.startsWith(JSON_TYPE))
        return refused("not-json", `The stream holds ${type}, not ${JSON_TYPE}.`)
      const body = await silence.textOf(response)
      const messages = parseArray(body)
      if (messages === undefined) return notAnEdge(response, "a body that is no JSON array")
      const text = body.trim().slice(1, -1) // the brackets around what is stored
      const upToDate = isTrue(response, "stream-up-to-date")
      return done({
        page: { from: after, next, text, messages },
        upToDate,
        closed: isTrue(response, "stream-closed"),
      })
    })
  }

  /** From now on nothing is believed of caches: the edge's log is another than it was, and they hold pages of that. */
  doubtCaches(): void {
    this.#areCachesWrong = true
  }

  /** Where the stream ends. */
  async tail(signal: AbortSignal): Promise<Exchange<Offset>> {
    return this.#ask(this.#url, { method: "HEAD", signal }, async (response) => {
      const tail = parseOffset(response.headers.get(HEADER.nextOffset) ?? "")
      return tail === undefined ? notAnEdge(response, "no Stream-Next-Offset") : done(tail)
    })
  }

  /** Whether the edge's log has passed this place, and keeps what follows. Nothing is read. */
  async knows(place: Offset, signal: AbortSignal): Promise<Exchange<boolean>> {
    const url = `${this.#url}?offset=${place}&end=${place}`
    const answer = await this.#ask(url, { method: "GET", signal }, async () => done(true))
    const isUnknown = answer.kind === "gone" || (answer.kind === "refused" && answer.reason === "diverged")
    return isUnknown ? done(false) : answer
  }

  /** Asks, and once more with a new token when the edge does not take the one that was kept. */
  async #ask<T>(url: string, init: Asking, read: Reading<T>): Promise<Exchange<T>> {
    const answer = await this.#askOnce(url, init, read)
    const isRefused = answer.kind === "failed" && answer.error.code === "unauthorized"
    if (!isRefused || this.#shown === undefined || init.signal.aborted) return answer
    this.#tokens?.refused(this.#shown)
    return this.#askOnce(url, init, read)
  }

  /** Sends a request, and sorts answers by what they mean for a client. `read` judges those that succeeded. */
  async #askOnce<T>(url: string, init: Asking, read: Reading<T>): Promise<Exchange<T>> {
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

function parseArray(body: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined // the caller says what came instead
  }
}

function isTrue(response: Response, header: string): boolean {
  return response.headers.get(header)?.toLowerCase() === "true"
}

function notAnEdge<T>(response: Response, came: string): Exchange<T> {
  const expected = `an answer of an edge (Headwater-Edge: ${EDGE_MARK}, JSON with Stream-Next-Offset)`
  const message = `${response.url || "The edge's address"} should give ${expected}; it gave ${came}.`
  return unreached("not-an-edge", message)
}

function whatCame({ type, status, headers }: Response): string {
  if (type === "opaqueredirect") return "a redirect"
  return `${status} with ${headers.get("content-type") ?? "no content type"}`
}

function done<T>(value: T): Exchange<T> {
  return { kind: "done", value }
}

export function failed(code: ErrorData["code"], message: string, leastMs?: number): Failed {
  return { kind: "failed", error: { code, message }, leastMs }
}

/** As `failed`, when it may be the way to the edge that has failed. */
export function unreached(code: ErrorData["code"], message: string): Failed {
  return { kind: "failed", error: { code, message }, unreached: true }
}

function refused<T>(reason: StopReason, message: string): Exchange<T> {
  return {
    kind: "refused",
    reason,
    error: { code: reason === "diverged" ? "diverged" : "rejected", message },
  }
}
