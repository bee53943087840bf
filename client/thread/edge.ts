import type { StopReason } from "../../shared/connection.ts"
import type { ErrorData } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Page } from "../../shared/log-order.ts"
import { type Offset, parseOffset } from "../../shared/offset.ts"
import type { Host } from "./host.ts"

/** What came of asking the edge. Every outcome is a value: a network is allowed to fail. */
export type Exchange<T> =
  | { readonly kind: "done"; readonly value: T }
  /** The stream is not there. */
  | { readonly kind: "missing" }
  /** The edge says no, and will say so again. */
  | { readonly kind: "refused"; readonly reason: StopReason; readonly error: ErrorData }
  /** No answer, or one that may be different next time. */
  | { readonly kind: "failed"; readonly error: ErrorData }

/** Every outcome but success. */
export type Failure = Exclude<Exchange<never>, { readonly kind: "done" }>

export type ReadPage = { readonly page: Page; readonly upToDate: boolean; readonly closed: boolean }

const JSON_TYPE = "application/json"

/** One stream at the edge, over HTTP: what a client needs before it can listen on a socket. */
export class EdgeStream {
  readonly #host: Pick<Host, "fetch" | "after">
  readonly #url: string

  constructor(host: Pick<Host, "fetch" | "after">, edge: string, stream: StreamPath) {
    this.#host = host
    this.#url = `${edge}/v1/stream/${stream}`
  }

  /** The address of the socket that tells what comes after an offset. */
  socketUrl(after: Offset): string {
    return `${this.#url.replace(/^http/, "ws")}?offset=${after}&live=ws`
  }

  /** Makes the stream; that it is there already is as good. */
  async create(signal: AbortSignal): Promise<Exchange<void>> {
    const headers = { "content-type": JSON_TYPE }
    const answer = await this.#ask<void>("", { method: "PUT", headers, signal }, () => undefined)
    if (answer.kind === "missing")
      return failed("not-an-edge", `${this.#url} should let a stream be made; it gave 404.`)
    if (answer.kind !== "refused" || answer.reason !== "diverged") return answer
    return refused("not-json", "The stream exists at the edge and does not hold JSON.")
  }

  /** Reads what comes after an offset: one page of it, as large as the edge likes. */
  read(after: Offset, signal: AbortSignal): Promise<Exchange<ReadPage>> {
    return this.#ask(`?offset=${after}`, { method: "GET", signal }, async (response) => {
      const type = response.headers.get("content-type") ?? "none"
      const next = parseOffset(response.headers.get("stream-next-offset") ?? "")
      if (next === undefined) return notAnEdge(response, `content type ${type}, no Stream-Next-Offset`)
      if (!type.startsWith(JSON_TYPE))
        return refused("not-json", `The stream holds ${type}, not ${JSON_TYPE}.`)
      const body = await response.text()
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

  /** Sends a request, and sorts answers by what they mean for a client. `read` judges those that succeeded. */
  async #ask<T>(
    query: string,
    init: RequestInit & { signal: AbortSignal },
    read: (response: Response) => Promise<Exchange<T> | undefined> | undefined,
  ): Promise<Exchange<T>> {
    const bound = new AbortController()
    const stopTimer = this.#host.after(LIMITS.requestMsMax, () => bound.abort())
    const letGo = () => bound.abort()
    init.signal.addEventListener("abort", letGo)
    try {
      const response = await this.#host.fetch(`${this.#url}${query}`, {
        ...init,
        signal: bound.signal,
        redirect: "error",
      })
      if (response.ok) return (await read(response)) ?? done(undefined as T) // only `create` reads nothing
      return outcomeOf(response)
    } catch (reason) {
      return failed(
        "unreachable",
        `The edge did not answer: ${reason instanceof Error ? reason.message : String(reason)}`,
      )
    } finally {
      stopTimer()
      init.signal.removeEventListener("abort", letGo)
    }
  }
}

function outcomeOf<T>(response: Response): Exchange<T> {
  const { status } = response
  if (status === 404) return { kind: "missing" }
  if (status === 410)
    return refused("diverged", "The edge no longer has what this device has read: the stream is another.")
  if (status === 409) return refused("diverged", "The edge has this stream with another configuration.")
  if (status === 403) return refused("forbidden", "The edge forbids this stream.")
  if (status === 400)
    return refused("diverged", "The edge does not know the offset that this device has read to.")
  return failed("unreachable", `The edge answered ${status}.`)
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
  const expected = "a Durable Streams answer (JSON with Stream-Next-Offset)"
  return failed(
    "not-an-edge",
    `${response.url || "The edge's address"} should give ${expected}; it gave ${came}.`,
  )
}

function done<T>(value: T): Exchange<T> {
  return { kind: "done", value }
}

function failed<T>(code: ErrorData["code"], message: string): Exchange<T> {
  return { kind: "failed", error: { code, message } }
}

function refused<T>(reason: StopReason, message: string): Exchange<T> {
  return {
    kind: "refused",
    reason,
    error: { code: reason === "diverged" ? "diverged" : "rejected", message },
  }
}
