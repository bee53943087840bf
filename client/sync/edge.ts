import { isRecord, parseJson } from "../../shared/decoded.ts"
import { SUBPROTOCOL, TICKET_PREFIX } from "../../shared/frames.ts"
import { HEADER, JSON_TYPE } from "../../shared/http.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import { type Offset, parseOffset } from "../../shared/offset.ts"
import type { Host } from "../host.ts"
import { done, EdgeRequests, type Exchange, failed, notAnEdge, refused, unreached } from "./edge-requests.ts"
import type { Tokens } from "./tokens.ts"

export type ReadPage = { readonly page: Page; readonly upToDate: boolean; readonly closed: boolean }

/** One stream at the edge, over HTTP: what a client needs before it can listen on a socket. */
export class EdgeStream {
  readonly #url: string
  readonly #ticketUrl: string
  readonly #requests: EdgeRequests

  /** @param answered Called when the edge begins to answer, whatever it says. */
  constructor(
    host: Pick<Host, "fetch" | "after">,
    edge: string,
    stream: StreamPath,
    tokens?: Tokens,
    answered?: () => void,
  ) {
    this.#url = `${edge}/v1/stream/${stream}`
    this.#ticketUrl = `${edge}/v1/ticket/${stream}`
    this.#requests = new EdgeRequests(host, tokens, answered)
  }

  /** The address of the socket that tells what comes after an offset. */
  socketUrl(after: Offset): string {
    return `${this.#url.replace(/^http/, "ws")}?offset=${after}&live=ws`
  }

  /** The subprotocols to offer when opening that socket: a browser shows who it is by a ticket among them. */
  async socketProtocols(signal: AbortSignal): Promise<Exchange<string[]>> {
    if (!this.#requests.hasTokens) return done([SUBPROTOCOL])
    return this.#requests.ask(this.#ticketUrl, { method: "POST", signal }, async (response, silence) => {
      const body = parseJson(await silence.textOf(response))
      const ticket = body.ok && isRecord(body.value) ? body.value.ticket : undefined
      if (typeof ticket === "string") return done([SUBPROTOCOL, `${TICKET_PREFIX}${ticket}`])
      return notAnEdge(response, "no ticket")
    })
  }

  /** The socket was closed for what the last ticket was given for. */
  socketRefused(): void {
    this.#requests.tokenRefused()
  }

  /** Makes the stream; that it is there already is as good. */
  async create(signal: AbortSignal): Promise<Exchange<void>> {
    const headers = { "content-type": JSON_TYPE }
    const answer = await this.#requests.ask<void>(
      this.#url,
      { method: "PUT", headers, signal },
      () => undefined,
    )
    if (answer.kind === "missing" && this.#requests.hasTokens)
      return failed("unauthorized", "The stream is not there for this account, which may not make it either.")
    if (answer.kind === "missing")
      return unreached("not-an-edge", `${this.#url} should let a stream be made; it gave 404.`)
    if (answer.kind !== "refused" || answer.reason !== "diverged") return answer
    return refused("not-json", "The stream exists at the edge and does not hold JSON.")
  }

  /** Reads what comes after an offset, up to another if one is given: one page of it, as large as the edge likes. */
  read(after: Offset, signal: AbortSignal, end?: Offset): Promise<Exchange<ReadPage>> {
    const url = `${this.#url}?offset=${after}${end === undefined ? "" : `&end=${end}`}`
    return this.#requests.ask(url, { method: "GET", signal }, async (response, silence) => {
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
    this.#requests.doubtCaches()
  }

  /** Where the stream ends. */
  async tail(signal: AbortSignal): Promise<Exchange<Offset>> {
    return this.#requests.ask(this.#url, { method: "HEAD", signal }, async (response) => {
      const tail = parseOffset(response.headers.get(HEADER.nextOffset) ?? "")
      return tail === undefined ? notAnEdge(response, "no Stream-Next-Offset") : done(tail)
    })
  }

  /** Whether the edge's log has passed this place, and keeps what follows. Nothing is read. */
  async knows(place: Offset, signal: AbortSignal): Promise<Exchange<boolean>> {
    const url = `${this.#url}?offset=${place}&end=${place}`
    const answer = await this.#requests.ask(url, { method: "GET", signal }, async () => done(true))
    const isUnknown = answer.kind === "gone" || (answer.kind === "refused" && answer.reason === "diverged")
    return isUnknown ? done(false) : answer
  }
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
