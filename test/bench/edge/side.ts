import type { OutgoingHttpHeaders } from "node:http"
import { encodeAppendFrame, SUBPROTOCOL } from "../../../shared/frames.ts"
import { HEADER, JSON_TYPE } from "../../../shared/http.ts"
import { START } from "../../../shared/offset.ts"
import type { HttpLoad } from "./http-load.ts"

/** One of two edges that are put under the same load, and how it is spoken to. */
export type Side = {
  /** Answered without touching a stream. */
  readonly healthUrl: string
  create(path: string): Promise<void>
  socket(path: string): Address
  /** What is posted: so many events at once, to `urlOf(path)`. */
  post(events: readonly string[], writer: Writer): { headers: OutgoingHttpHeaders; body: string }
  /** The same as one frame of a socket. */
  frame(events: readonly string[], writer: Writer): string | Buffer
  /** What a frame says: an append of this socket is stored, or was not; or somebody else's is here. */
  meaning(frame: Buffer): "ack" | "refusal" | "news"
  urlOf(path: string): string
  /** Where the stream ends, as the side writes it. */
  tail(path: string): Promise<string>
  /** What to get for all that comes after a tail. */
  urlAfter(path: string, tail: string): string
  /** Reads all of a stream. @returns how many bytes came */
  readAll(path: string): Promise<number>
}

/** Who appends, and the number of the append. */
export type Writer = { readonly name: string; readonly seq: number }

export type Address = {
  readonly url: string
  readonly protocols: readonly string[]
  /** Whether the edge speaks first. */
  readonly greets: boolean
}

const TYPE = { "content-type": JSON_TYPE }
const REPLY = `{"t":"reply"`
const STORED = /"status":20[04]/
const HEAD_BYTES = 60 // of a reply: as far as its status

/** An edge of ours, spoken to by its protocol, each writer a producer of its own. */
export function ourSide(edge: string, http: HttpLoad): Side {
  const urlOf = (path: string) => `${edge}/v1/stream/${path}`
  const urlAfter = (path: string, tail: string) => `${urlOf(path)}?offset=${tail}`
  return {
    healthUrl: `${edge}/health`,
    create: async (path) => void (await http.ask(urlOf(path), { method: "PUT", headers: TYPE })),
    socket: (path) => ({
      url: `${urlOf(path).replace(/^http/, "ws")}?offset=now&live=ws`,
      protocols: [SUBPROTOCOL],
      greets: true,
    }),
    post(events, { name, seq }) {
      const producer = { [HEADER.producerId]: name, [HEADER.producerEpoch]: 0, [HEADER.producerSeq]: seq }
      return { headers: { ...TYPE, ...producer }, body: `[${events.join(",")}]` }
    },
    frame(events, { name, seq }) {
      const frame = { t: "append", id: seq, producer: name, epoch: 0, seq, body: events.join(",") } as const
      return encodeAppendFrame(frame) as string // its body is text
    },
    meaning(frame) {
      const head = frame.toString("latin1", 0, HEAD_BYTES)
      if (!head.startsWith(REPLY)) return "news"
      return STORED.test(head) ? "ack" : "refusal"
    },
    urlOf,
    tail: async (path) => nextOf(await http.ask(urlOf(path), { method: "HEAD" })),
    urlAfter,
    async readAll(path) {
      let bytes = 0
      for (let offset: string = START, isEnd = false; !isEnd; ) {
        const page = await http.ask(urlAfter(path, offset))
        bytes += page.bytes
        offset = nextOf(page)
        isEnd = page.headers[HEADER.upToDate] === "true"
      }
      return bytes
    },
  }
}

function nextOf({ headers }: { readonly headers: Readonly<Record<string, unknown>> }): string {
  return String(headers[HEADER.nextOffset])
}

/** The raw worker. It knows no writers. */
export function rawSide(worker: string, http: HttpLoad): Side {
  const urlOf = (path: string) => `${worker}/${path}`
  return {
    healthUrl: `${worker}/health`,
    create: async () => undefined,
    socket: (path) => ({ url: urlOf(path).replace(/^http/, "ws"), protocols: [], greets: false }),
    post: (events) => ({ headers: TYPE, body: events.join(",") }),
    frame: (events) => Buffer.from(events.join(",")),
    meaning: (frame) => (frame.length === RAW_ACK_BYTES ? "ack" : "news"),
    urlOf,
    tail: async (path) => String((await http.ask(urlOf(path), { method: "HEAD" })).headers[RAW_TAIL_HEADER]),
    urlAfter: (path, tail) => `${urlOf(path)}?from=${tail}`,
    readAll: async (path) => (await http.ask(urlOf(path))).bytes,
  }
}

const RAW_ACK_BYTES = 2
const RAW_TAIL_HEADER = "row-count"
