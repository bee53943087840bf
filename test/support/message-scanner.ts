/** What carries a message: an exchange of HTTP, or a frame of the WebSocket that it became. */
export type Carrier = "http" | "socket"

/** Where a message ends, counted in bytes from the beginning of the connection. It may be still to come. */
export type MessageEnd = { readonly at: number; readonly carrier: Carrier }

type State =
  | { readonly kind: "head" }
  | { readonly kind: "body"; readonly bytes: number }
  | { readonly kind: "chunks" }
  | { readonly kind: "frames" }
  /** It ends with the connection. */
  | { readonly kind: "rest" }

const HEAD_END = "\r\n\r\n"
const LINE_END = "\r\n"

/**
 * Finds the ends of messages in one direction of an HTTP/1.1 connection: heads and bodies, and after an upgrade the
 * frames of RFC 6455. It trusts both sides to speak well.
 */
export class MessageScanner {
  /** The methods of requests that have no answer yet: one to HEAD has no body, whatever its head says. */
  readonly #asked: string[]
  #state: State = { kind: "head" }
  /** What has come and belongs to no message whose end is known. */
  #open: Buffer = Buffer.alloc(0)
  /** Where `#open` begins. */
  #at = 0
  /** Bytes of the last message that are still to come. */
  #missing = 0

  /** @param asked One for both directions of a connection. */
  constructor(asked: string[] = []) {
    this.#asked = asked
  }

  /** Whether there are frames now, and no messages of HTTP any more. */
  get isUpgraded(): boolean {
    return this.#state.kind === "frames"
  }

  /** Takes what came next. Answers the ends that it makes known. */
  take(chunk: Buffer): MessageEnd[] {
    this.#open = Buffer.concat([this.#open, chunk])
    const ends: MessageEnd[] = []
    for (;;) {
      const passed = Math.min(this.#missing, this.#open.length)
      this.#open = this.#open.subarray(passed)
      this.#at += passed
      this.#missing -= passed
      if (this.#missing > 0) return ends
      const carrier = this.isUpgraded ? "socket" : "http"
      const length = this.#length()
      if (length === undefined) return ends
      this.#missing = length
      ends.push({ at: this.#at + length, carrier })
    }
  }

  /** How long the message at the beginning of `#open` is, if enough of it is there to tell. */
  #length(): number | undefined {
    switch (this.#state.kind) {
      case "head":
        return this.#head()
      case "body": {
        const { bytes } = this.#state
        this.#state = { kind: "head" }
        return bytes
      }
      case "chunks":
        return this.#chunk()
      case "frames":
        return frameLength(this.#open)
      case "rest":
        return undefined
    }
  }

  #head(): number | undefined {
    const end = this.#open.indexOf(HEAD_END)
    if (end === -1) return undefined
    const head = this.#open.toString("latin1", 0, end)
    if (!head.startsWith("HTTP/")) this.#asked.push(head.slice(0, head.indexOf(" ")))
    const isOfHead = head.startsWith("HTTP/") && this.#asked.shift() === "HEAD"
    this.#state = isOfHead ? { kind: "head" } : stateBehind(head)
    return end + HEAD_END.length
  }

  #chunk(): number | undefined {
    const end = this.#open.indexOf(LINE_END)
    if (end === -1) return undefined
    const bytes = Number.parseInt(this.#open.toString("latin1", 0, end), 16)
    if (bytes === 0) this.#state = { kind: "head" }
    return end + 2 * LINE_END.length + bytes
  }
}

function stateBehind(head: string): State {
  const first = head.slice(0, head.indexOf(LINE_END))
  const isAnswer = first.startsWith("HTTP/")
  const [, status = ""] = first.split(" ")
  if (isAnswer ? status === "101" : /^upgrade: *websocket/im.test(head)) return { kind: "frames" }
  if (/^transfer-encoding: *chunked/im.test(head)) return { kind: "chunks" }
  const bytes = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  if (bytes > 0) return { kind: "body", bytes }
  const isEmpty = !isAnswer || ["204", "304"].includes(status) || /^content-length:/im.test(head)
  return { kind: isEmpty ? "head" : "rest" }
}

function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined
  const mask = bytes.readUInt8(1) >= 0x80 ? 4 : 0
  const short = bytes.readUInt8(1) & 0x7f
  if (short < 126) return 2 + mask + short
  if (short === 126) return bytes.length < 4 ? undefined : 4 + mask + bytes.readUInt16BE(2)
  return bytes.length < 10 ? undefined : 10 + mask + Number(bytes.readBigUInt64BE(2))
}
