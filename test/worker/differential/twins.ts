import { expect } from "vitest"
import { type AppendFrame, type AppendReply, CLOSE } from "../../../shared/frames.ts"
import { isJsonType } from "../../../shared/http.ts"
import { ask, create, EdgeSocket, type Heard } from "../edge-client.ts"
import { Bijection } from "./bijection.ts"
import type { Append, Read } from "./operations.ts"

/** An answer with all that a client may act on. */
type Answer = { readonly status: number; readonly headers: Record<string, string>; readonly message?: string }

/** What a reader is shown of a page, whatever carried it. */
type Shown = { status: number; body?: string; next?: string; upToDate?: boolean; closed?: boolean }

/** To make the first stream of a name takes as long as all that is done to it, so names are used again. */
export type Names = readonly [plain: string, live: string]

/**
 * Two streams to which the same is done, one over HTTP and one over a socket, each with a reader that listens from the
 * start. Whatever differs but the spelling of offsets fails an expectation.
 */
export class Twins {
  readonly #contentType: string
  readonly #plain: string
  readonly #live: string
  readonly #offsets = new Bijection()
  #writer!: EdgeSocket
  #readers!: readonly EdgeSocket[]
  #appends = 0
  #tail = ""
  #isClosed = false

  private constructor(names: Names, contentType: string) {
    ;[this.#plain, this.#live] = names
    this.#contentType = contentType
  }

  /** What was there under these names before is deleted. */
  static async create(names: Names, contentType: string): Promise<Twins> {
    await Promise.all(names.map((path) => ask(path, { method: "DELETE" })))
    const twins = new Twins(names, contentType)
    await twins.#begin()
    return twins
  }

  async #begin(): Promise<void> {
    const [one, other] = await Promise.all(
      [this.#plain, this.#live].map((path) => create(path, this.#contentType)),
    )
    expect([one!.status, other!.status]).toEqual([201, 201])
    this.#pairHeaders(one!, other!)
    this.#writer = await EdgeSocket.open(this.#live, "now")
    const first = await this.#writer.next()
    this.#tail = "next" in first ? first.next : ""
    this.#readers = await Promise.all([this.#plain, this.#live].map((path) => EdgeSocket.open(path, "-1")))
  }

  /** Over HTTP to the one; to the other over the socket, for as long as a stream that is not closed has one. */
  async append(append: Append): Promise<void> {
    const there = await this.#overHttp(this.#plain, append)
    const here = this.#isClosed ? await this.#overHttp(this.#live, append) : await this.#overSocket(append)
    const [next, nextHere] = [there.headers["stream-next-offset"], here.headers["stream-next-offset"]]
    if (next !== undefined && nextHere !== undefined) this.#offsets.pair(next, nextHere)
    expect(here).toEqual(JSON.parse(this.#offsets.translate(JSON.stringify(there))))
    if (there.headers["stream-closed"] === "true") this.#isClosed = true
  }

  /** From the same place: each stream over each transport. */
  async read({ from }: Read): Promise<void> {
    const places = this.#offsets.inOrder()
    const place = typeof from === "number" ? places[from % places.length]! : ([from, from] as const)
    const [plain, live, plainLive, liveLive] = await Promise.all([
      this.#get(this.#plain, place[0]),
      this.#get(this.#live, place[1]),
      this.#listen(this.#plain, place[0]),
      this.#listen(this.#live, place[1]),
    ])
    expect(plainLive).toEqual(plain)
    expect(liveLive).toEqual(live)
    if (plain.next !== undefined && live.next !== undefined) this.#offsets.pair(plain.next, live.next)
    expect(live).toEqual({ ...plain, ...(plain.next && { next: this.#offsets.translate(plain.next) }) })
  }

  /** What the readers have heard since the start is what there is, and it is the same. */
  async compareHistories(): Promise<void> {
    const [one, other] = await Promise.all(this.#readers.map((reader, at) => this.#hear(reader, at)))
    for (const [at, frame] of one!.entries()) {
      const twin = other![at]
      if ("next" in frame && twin !== undefined && "next" in twin) this.#offsets.pair(frame.next, twin.next)
    }
    const spelled = (frames: readonly Heard[]) =>
      JSON.stringify(frames.map((frame) => ("body" in frame ? { ...frame, body: latin(frame.body) } : frame)))
    expect(spelled(other!)).toEqual(this.#offsets.translate(spelled(one!)))
    const bodies = one!.flatMap((frame) => (frame.t === "data" ? [latin(frame.body)] : []))
    const whole = await this.#get(this.#plain, "-1")
    expect(whole.body).toBe(bodies.join(isJsonType(this.#contentType) ? "," : ""))
    this.#offsets.inOrder()
  }

  /** Sockets hear of it, and both are missing over each transport. */
  async delete(): Promise<void> {
    const gone = await Promise.all([this.#plain, this.#live].map((path) => ask(path, { method: "DELETE" })))
    expect(gone.map(({ status }) => status)).toEqual([204, 204])
    if (!this.#isClosed) {
      const closes = await Promise.all([...this.#readers, this.#writer].map((socket) => socket.next()))
      expect(closes.map((heard) => (heard.t === "close" ? heard.code : heard.t))).toEqual([4410, 4410, 4410])
    }
    for (const path of [this.#plain, this.#live]) {
      expect(await this.#get(path, "-1")).toEqual({ status: 404 })
      expect(await this.#listen(path, "-1")).toEqual({ status: 404 })
    }
  }

  /** The places of the deleted streams are gone over each transport. */
  async createAgain(): Promise<void> {
    const [oldPlain, oldLive] = this.#offsets.inOrder().at(-1)!
    await Promise.all([this.#plain, this.#live].map((path) => create(path, this.#contentType)))
    for (const [path, old] of [
      [this.#plain, oldPlain],
      [this.#live, oldLive],
    ] as const) {
      expect(await this.#get(path, old)).toEqual({ status: 410 })
      expect(await this.#listen(path, old)).toEqual({ status: 410 })
    }
  }

  async #overHttp(path: string, { producer, streamSeq, contentType, close, body }: Append): Promise<Answer> {
    const isBatch = isJsonType(this.#contentType) && body !== ""
    const response = await ask(path, {
      method: "POST",
      headers: {
        "content-type": contentType ?? this.#contentType,
        ...(producer?.id !== undefined && { "producer-id": producer.id }),
        ...(producer?.epoch !== undefined && { "producer-epoch": producer.epoch }),
        ...(producer?.seq !== undefined && { "producer-seq": producer.seq }),
        ...(streamSeq !== undefined && { "stream-seq": streamSeq }),
        ...(close && { "stream-closed": "true" }),
      },
      body: isBatch ? `[${body}]` : body,
    })
    const text = await response.text()
    const headers = ofProtocol(response.headers)
    return { status: response.status, headers, ...(text !== "" && { message: JSON.parse(text).message }) }
  }

  async #overSocket({ producer, streamSeq, contentType, close, body }: Append): Promise<Answer> {
    const fields = {
      id: this.#appends++,
      ...(producer?.id !== undefined && { producer: producer.id }),
      ...(producer?.epoch !== undefined && { epoch: numberIn(producer.epoch) }),
      ...(producer?.seq !== undefined && { seq: numberIn(producer.seq) }),
      ...(streamSeq !== undefined && { streamSeq }),
      ...(contentType !== undefined && { contentType }),
      ...(close && { close }),
    }
    const heard = await this.#writer.append({ ...fields, body } as Omit<AppendFrame, "t">) // faults are of other types
    const [reply] = heard
    expect(heard.length).toBe(1) // one's own data is not repeated
    if (reply?.t !== "reply") throw new Error(`A reply was expected; ${JSON.stringify(heard)} came.`)
    this.#follow(reply)
    if (reply.headers["stream-closed"] === "true") await this.#hearTheEnd(reply.from === undefined)
    const { status, headers, message } = reply
    return { status, headers: { ...headers }, ...(message !== undefined && { message }) }
  }

  /** A reply that stands for data begins where the one before it ended, and goes further. */
  #follow({ from, headers }: AppendReply): void {
    if (from === undefined) return
    expect(from).toBe(this.#tail)
    this.#tail = headers["stream-next-offset"] ?? ""
    expect(this.#tail).not.toBe(from)
  }

  async #hearTheEnd(withControl: boolean): Promise<void> {
    if (withControl) expect(await this.#writer.next()).toMatchObject({ t: "control", closed: true })
    expect(await this.#writer.next()).toMatchObject({ t: "close", code: CLOSE.done })
  }

  async #get(path: string, offset: string): Promise<Shown> {
    const response = await ask(`${path}?offset=${offset}`)
    const { status, headers } = response
    const body = latin(new Uint8Array(await response.arrayBuffer()))
    if (status !== 200) return { status }
    return {
      status,
      body: isJsonType(this.#contentType) ? body.slice(1, -1) : body,
      next: headers.get("stream-next-offset")!,
      upToDate: headers.get("stream-up-to-date") === "true",
      closed: headers.get("stream-closed") === "true",
    }
  }

  async #listen(path: string, offset: string): Promise<Shown> {
    if (offset === "garbage") return { status: (await EdgeSocket.refusal(path, offset)).status }
    const socket = await EdgeSocket.open(path, offset)
    const first = await socket.next()
    if (first.t === "close") return { status: { [CLOSE.missing]: 404, [CLOSE.gone]: 410 }[first.code] ?? 0 }
    if (first.t !== "data" && first.t !== "control") throw new Error(`A page was expected; ${first.t} came.`)
    if (first.closed) expect(await socket.next()).toMatchObject({ t: "close", code: CLOSE.done })
    else socket.close()
    const { next, upToDate, closed } = first
    return { status: 200, body: first.t === "data" ? latin(first.body) : "", next, upToDate, closed }
  }

  /** Everything up to the tail, or to the end. */
  async #hear(reader: EdgeSocket, at: number): Promise<readonly Heard[]> {
    const { next: tail } = await this.#get([this.#plain, this.#live][at]!, "now")
    const heard: Heard[] = []
    for (;;) {
      const one = await reader.next()
      heard.push(one)
      if (one.t === "close" || (!this.#isClosed && "next" in one && one.next === tail)) return heard
    }
  }

  #pairHeaders(one: Response, other: Response): void {
    this.#offsets.pair(one.headers.get("stream-next-offset")!, other.headers.get("stream-next-offset")!)
  }
}

/** Bytes as text that shows each of them; text as its bytes in UTF-8. */
function latin(body: string | Uint8Array): string {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")
}

function numberIn(text: string): number | string {
  return /^[0-9]{1,16}$/.test(text) ? Number(text) : text
}

function ofProtocol(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => /^(stream|producer)-/.test(name)))
}
