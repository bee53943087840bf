import { decodeBatchBody } from "../../shared/batch.ts"
import {
  type AppendReply,
  CLOSE,
  type EdgeFrame,
  encodeAppendFrame,
  type FrameBody,
} from "../../shared/frames.ts"
import { HEADER, isJsonType, saysTrue } from "../../shared/http.ts"
import { LIMITS } from "../../shared/limits.ts"
import { START } from "../../shared/offset.ts"
import { sseEncoding, sseEvents } from "../../worker/http/sse-text.ts"
import type { Page } from "../../worker/stream/stream-reads.ts"
import { edgeFrames, frameIn, openEdgeSocket } from "./edge-frames.ts"

/*
 * `fetch` for clients of the open protocol that carries their appends and reads over `live=ws`, and makes of the
 * frames that come the answers that HTTP would have given. Over HTTP go, besides everything that a socket has no
 * frame for (creating, asking, deleting):
 *
 *   - a reader that is told to catch up with GET, since that is what it is told;
 *   - appends to a closed stream, which keeps no socket;
 *   - what was refused before the socket opened, for its status.
 */

export type SocketFetch = {
  readonly fetch: typeof fetch
  /** How many answers were made of frames, and how many appends and reads had to go over HTTP. */
  readonly counts: { appends: number; reads: number; detours: number }
  /** Closes the sockets that are open for appends. */
  close(): void
}

const LONG_POLL_MS = 3_000

export function socketFetch(): SocketFetch {
  const appenders = new Map<string, Appender>()
  const counts = { appends: 0, reads: 0, detours: 0 }

  async function append(request: Request, url: string): Promise<Response | undefined> {
    const known = appenders.get(url)
    if (known?.isOpen !== true && !(await fetch(url, { method: "HEAD" })).ok) return missing()
    const appender = known?.isOpen === true ? known : new Appender(url)
    appenders.set(url, appender)
    return appender.append(request.headers, new Uint8Array(await request.arrayBuffer()))
  }

  return {
    counts,
    async fetch(input, init) {
      const request = new Request(input, init)
      if (request.method === "DELETE") appenders.delete(request.url)
      if (request.method !== "POST" && request.method !== "GET") return fetch(request)
      const isAppend = request.method === "POST"
      const again = request.clone()
      const url = request.url.replace(/\?.*/, "")
      const answer = isAppend ? await append(request, url) : await read(request, url)
      counts[answer === undefined ? "detours" : isAppend ? "appends" : "reads"]++
      return answer ?? fetch(again)
    },
    close() {
      for (const appender of appenders.values()) appender.close()
    },
  }
}

/** One socket for the appends to one stream, any number of them at a time. */
class Appender {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: AppendReply | number) => void>()
  readonly #ready: Promise<EdgeFrame | number>
  #closedWith: number | undefined
  #ids = 0

  constructor(url: string) {
    this.#socket = openEdgeSocket(url, "now")
    this.#ready = new Promise((resolve) => {
      this.#socket.addEventListener("message", (event) => {
        const frame = frameIn(event)
        resolve(frame)
        if (frame.t === "reply") this.#answer(frame.id, frame)
      })
      this.#socket.addEventListener("close", ({ code }) => {
        this.#closedWith = code
        resolve(code)
        for (const id of this.#waiting.keys()) this.#answer(id, code)
      })
    })
  }

  /** A socket that was told its end takes nothing, some time before it closes. */
  get isOpen(): boolean {
    return this.#socket.readyState <= WebSocket.OPEN
  }

  /** Undefined when the socket cannot tell. */
  async append(headers: Headers, body: Uint8Array<ArrayBuffer>): Promise<Response | undefined> {
    const first = await this.#ready
    if (typeof first !== "number" && "closed" in first && first.closed) return undefined
    const answer = this.#closedWith ?? (await this.#send(headers, body))
    if (typeof answer === "number")
      return answer === CLOSE.missing || answer === CLOSE.gone ? missing() : undefined
    const { status, message } = answer
    return message === undefined
      ? new Response(null, { status, headers: answer.headers })
      : Response.json({ message }, { status, headers: answer.headers })
  }

  close(): void {
    this.#socket.close()
  }

  #send(headers: Headers, body: Uint8Array<ArrayBuffer>): Promise<AppendReply | number> {
    const id = this.#ids++
    const contentType = headers.get("content-type")
    const header = {
      t: "append",
      id,
      ...textField("producer", headers.get(HEADER.producerId)),
      ...numberField("epoch", headers.get(HEADER.producerEpoch)),
      ...numberField("seq", headers.get(HEADER.producerSeq)),
      ...textField("streamSeq", headers.get(HEADER.streamSeq)),
      ...textField("contentType", contentType),
      close: saysTrue(headers.get(HEADER.closed)),
    } as const
    const sent = isJsonType(contentType ?? "") ? batchOf(new TextDecoder().decode(body)) : body
    this.#socket.send(encodeAppendFrame({ ...header, body: sent }))
    return new Promise((resolve) => this.#waiting.set(id, resolve))
  }

  #answer(id: number, answer: AppendReply | number): void {
    this.#waiting.get(id)?.(answer)
    this.#waiting.delete(id)
  }
}

/** What is none stays as it is, so that the edge says what is wrong with it. */
function batchOf(body: string): FrameBody {
  const batch = decodeBatchBody(body, LIMITS.jsonDepthMax)
  return batch.ok ? batch.value.text : body
}

function textField<Name extends string>(name: Name, value: string | null): { [name in Name]?: string } {
  return value === null ? {} : ({ [name]: value } as { [name in Name]?: string }) // one computed name
}

function numberField<Name extends string>(name: Name, value: string | null): { [name in Name]?: number } {
  return value === null ? {} : ({ [name]: Number(value) } as { [name in Name]?: number }) // one computed name
}

function missing(): Response {
  return Response.json({ message: "There is no such stream." }, { status: 404 })
}

/** Undefined when the socket cannot tell. */
async function read(request: Request, url: string): Promise<Response | undefined> {
  const query = new URL(request.url).searchParams
  const offset = query.get("offset") ?? START
  const live = query.get("live")
  const head = await fetch(url, { method: "HEAD" })
  if (!head.ok) return missing()
  const left = new AbortController()
  const frames = edgeFrames(url, offset, AbortSignal.any([request.signal, left.signal]))
  const { value: first, done } = await frames.next()
  request.signal.throwIfAborted()
  if (done === true)
    return first === CLOSE.gone ? Response.json({ message: "Gone." }, { status: 410 }) : undefined
  const before = emptyPage(head.headers.get("content-type") ?? "", offset)
  const page = pageOf(first, before)
  if (page === undefined) return undefined
  if (live === "sse") return sseResponse(page, frames, left)
  const news =
    live !== "long-poll" || !isEmpty(page) || page.closed ? page : await waitForNews(page, frames, left)
  left.abort()
  request.signal.throwIfAborted()
  return pageResponse(news, live)
}

async function waitForNews(
  page: Page,
  frames: AsyncGenerator<EdgeFrame>,
  left: AbortController,
): Promise<Page> {
  const timer = setTimeout(() => left.abort(), LONG_POLL_MS)
  const { value } = await frames.next()
  clearTimeout(timer)
  return typeof value === "object" ? (pageOf(value, page) ?? page) : page
}

function pageResponse(page: Page, live: string | null): Response {
  const headers = {
    [HEADER.nextOffset]: page.next,
    ...(page.upToDate && { [HEADER.upToDate]: "true" }),
    ...(page.closed && { [HEADER.closed]: "true" }),
    ...(live === null ? {} : { [HEADER.cursor]: CURSOR }),
  }
  if (live !== null && isEmpty(page)) return new Response(null, { status: 204, headers })
  return new Response(page.body, { headers: { ...headers, "content-type": page.contentType } })
}

const CURSOR = "1" // nothing between this fetch and the edge keeps answers

function sseResponse(first: Page, frames: AsyncGenerator<EdgeFrame>, left: AbortController): Response {
  const encoder = new TextEncoder()
  let page = first
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(sseEvents(first, Number(CURSOR)))),
    async pull(controller) {
      if (page.closed) return controller.close()
      const { value, done } = await frames.next()
      const next = done === true ? undefined : pageOf(value, page)
      if (next === undefined) return controller.close()
      page = next
      controller.enqueue(encoder.encode(sseEvents(page, Number(CURSOR))))
    },
    cancel: () => left.abort(),
  })
  const headers = { "content-type": "text/event-stream", ...sseEncoding(first.contentType) }
  return new Response(body, { headers })
}

function emptyPage(contentType: string, offset: string): Page {
  const at = offset as Page["from"] // where the reader says it is
  const body = Uint8Array.from(isJsonType(contentType) ? [0x5b, 0x5d] : [])
  return { kind: "page", contentType, from: at, next: at, upToDate: false, closed: false, body }
}

/** The page that a frame stands for; undefined when it sends the reader to HTTP. */
function pageOf(frame: EdgeFrame, before: Page): Page | undefined {
  const { contentType } = before
  if (frame.t === "control") return { ...emptyPage(contentType, frame.next), ...frame, kind: "page" }
  if (frame.t !== "data") return undefined
  const body = typeof frame.body === "string" ? new TextEncoder().encode(`[${frame.body}]`) : frame.body
  return { ...before, ...frame, body: Uint8Array.from(body) }
}

function isEmpty({ from, next }: Page): boolean {
  return from === next
}
