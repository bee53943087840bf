import fc from "fast-check"
import { expect, inject, test } from "vitest"
import { encodeAppendFrame } from "../../shared/frames.ts"
import { LIMITS } from "../../shared/limits.ts"
import { ask, create, EdgeSocket, newStream } from "./edge-client.ts"

const FRAMES = 10_000
const LANES = 10
const PATIENCE_MS = 120_000

/** A frame that nobody answers is what this looks for, so it is not waited for until the test runs out of time. */
const ANSWER_MS_MAX = 10_000

type Frame = string | Uint8Array<ArrayBuffer>

/** A stream with a socket, and what its log must be. */
class Target {
  readonly #contentType: string
  #path = ""
  #socket: EdgeSocket | undefined
  #accepted: Uint8Array[] = []

  constructor(contentType: string) {
    this.#contentType = contentType
  }

  /** Sends one frame as the WebSocket of a browser would, and takes what it is answered. */
  async send(frame: Frame): Promise<void> {
    const socket = await this.#open()
    socket.send(typeof frame === "string" ? frame.toWellFormed() : frame.slice().buffer)
    const heard = await socket.next()
    if (heard.t === "close") {
      expect(heard.code).toBe(4400)
      expect(heard.reason).toMatch(/^[ -~]+$/)
      this.#socket = undefined
    } else if (heard.t === "pong") expect(frame).toBe("ping")
    else {
      if (heard.t !== "reply") throw new Error(`A reply or a close was expected; ${heard.t} came.`)
      expect([200, 204, 400, 403, 409, 413]).toContain(heard.status)
      expect(heard.message === undefined).toBe(heard.status < 300)
      if (heard.from !== undefined) this.#accepted.push(bodyOf(frame))
      if (heard.headers["stream-closed"] === "true") await this.compare()
    }
  }

  /** What was accepted is in the log and nothing else; then another stream begins. */
  async compare(): Promise<void> {
    if (this.#path === "") return
    const log = new Uint8Array(await (await ask(this.#path)).arrayBuffer())
    const isJson = this.#contentType === "application/json"
    const separated = this.#accepted.flatMap((body, at) => (isJson && at > 0 ? [COMMA, body] : [body]))
    const wanted = await joined(isJson ? [OPENING, ...separated, CLOSING] : separated)
    const differs = log.findIndex((byte, at) => byte !== wanted[at])
    const excerpt = (bytes: Uint8Array) =>
      new TextDecoder().decode(bytes.slice(Math.max(0, differs - 40), differs + 40))
    expect([log.length, differs, excerpt(log)]).toEqual([wanted.length, -1, excerpt(wanted)])
    this.#accepted = []
    this.#path = ""
    this.#socket = undefined
  }

  async #open(): Promise<EdgeSocket> {
    if (this.#path === "") {
      this.#path = newStream()
      await create(this.#path, this.#contentType)
    }
    if (this.#socket === undefined) {
      this.#socket = await EdgeSocket.open(this.#path, "now")
      await this.#socket.next()
    }
    return this.#socket
  }
}

const [OPENING, COMMA, CLOSING] = ["[", ",", "]"].map((mark) => new TextEncoder().encode(mark)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]

function bodyOf(frame: Frame): Uint8Array {
  const bytes = bytesOf(frame)
  return bytes.subarray(bytes.indexOf(0x0a) + 1)
}

async function joined(parts: readonly Uint8Array[]): Promise<Uint8Array> {
  return new Uint8Array(await new Blob([...parts]).arrayBuffer())
}

const REAL: readonly Frame[] = [
  encodeAppendFrame({ t: "append", id: 7, body: `{"n":1.0},"é😀"` }),
  encodeAppendFrame({ t: "append", id: 7, producer: "p", epoch: 0, seq: 0, body: `{"a":[1,{"b":null}]}` }),
  encodeAppendFrame({ t: "append", id: 7, streamSeq: "b", contentType: "application/json", body: "1,2,3" }),
  encodeAppendFrame({ t: "append", id: 7, producer: "é", epoch: 1, seq: 1, close: true, body: `"last"` }),
]

const bytesOf = (frame: Frame) =>
  typeof frame === "string" ? Uint8Array.from(new TextEncoder().encode(frame)) : frame

const real = fc.constantFrom(...REAL)

/** A real frame with a piece of it cut out and something else put there. */
const bent = fc
  .tuple(
    real,
    fc.nat(),
    fc.nat({ max: 4 }),
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.constantFrom(
        "\n",
        "\u0000",
        "\ud800",
        "\udc00",
        "{",
        "}",
        '"',
        "__proto__",
        "\\",
        "[",
        "9".repeat(400),
        "-",
        "e9",
      ),
    ),
  )
  .map(([frame, at, length, piece]) => {
    const text = String(frame)
    const from = at % (text.length + 1)
    return text.slice(0, from) + piece + text.slice(from + length)
  })

const bentBytes = fc.tuple(real, fc.nat(), fc.uint8Array({ maxLength: 4 })).map(([frame, at, piece]) => {
  const bytes = bytesOf(frame).slice()
  bytes.set(piece, Math.min(at % bytes.length, bytes.length - piece.length))
  return bytes
})

const NAMES = [
  "t",
  "id",
  "producer",
  "epoch",
  "seq",
  "streamSeq",
  "close",
  "contentType",
  "__proto__",
  "constructor",
  "toString",
]

/** A header whose fields may be anything, above any body. */
const typed = fc
  .tuple(fc.dictionary(fc.constantFrom(...NAMES), fc.jsonValue({ maxDepth: 2 })), fc.boolean(), fc.string())
  .map(([fields, isWhole, body]) => {
    const header = JSON.stringify({ ...(isWhole && { t: "append", id: 1 }), ...fields })
    return `${header.replace("{", isWhole ? `{"__proto__":{"close":true},` : "{").replace(",}", "}")}\n${body}`
  })

const odd = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.uint8Array().map((bytes) => Uint8Array.from(bytes)),
  fc.json(),
  fc.nat({ max: 200 }).map((depth) => `{"t":"append","id":1}\n${"[".repeat(depth)}${"]".repeat(depth)}`),
  fc.nat({ max: 200 }).map((depth) => `${`{"a":`.repeat(depth)}1${"}".repeat(depth)}`),
  fc.constantFrom("ping", "PING", "pong", "", "\n", "\n\n", "null", "0", `{"t":"append","id":1}`),
)

const frame: fc.Arbitrary<Frame> = fc.oneof(bent, bentBytes, typed, odd)

test.each(["application/json", "application/octet-stream"])(
  `[WS3] ${FRAMES / 2} malformed frames to a stream of %s are answered, or close the socket with 4400`,
  { timeout: PATIENCE_MS },
  async (contentType) => {
    const numRuns = Math.ceil(FRAMES / 2 / LANES)
    const lanes = Array.from({ length: LANES }, async (_, lane) => {
      const target = new Target(contentType)
      const property = fc.asyncProperty(frame, (one) => target.send(one))
      await fc.assert(property, {
        numRuns,
        seed: inject("seed") + lane,
        timeout: ANSWER_MS_MAX,
        endOnFailure: true,
      })
      await target.compare()
    })
    await Promise.all(lanes)
    expect("close" in {}).toBe(false) // no frame has reached the prototype of all objects
  },
)

test("[WS3] a frame that is cut at any byte is answered, or closes the socket, as text and as bytes", async () => {
  await Promise.all(
    REAL.map(async (whole) => {
      const target = new Target("application/json")
      for (let end = 0; end <= whole.length; end++) {
        await target.send(whole.slice(0, end))
        await target.send(bytesOf(whole).slice(0, end))
      }
      await target.compare()
    }),
  )
})

test("[WS3] a frame at its limit is answered, one above it and one far above close the socket", async () => {
  const target = new Target("application/octet-stream")
  const header = `{"t":"append","id":1}\n`
  for (const length of [LIMITS.frameBytesMax, LIMITS.frameBytesMax + 1, 8 * LIMITS.frameBytesMax]) {
    await target.send(header.padEnd(length, "x"))
    await target.send(bytesOf(header.padEnd(length, "x")))
    await target.send(`${header}${"é".repeat((length - header.length) / 2)}${length % 2 === 0 ? "" : "x"}`)
  }
  await target.compare()
})
