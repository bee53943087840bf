import { COMMON_LIMITS } from "./common-limits.ts"
import { bad, type Decoded, good, isCount, isRecord, parseJson } from "./decoded.ts"
import { type Offset, parseOffset } from "./offset.ts"

/*
 * Frames of the WebSocket extension (`live=ws`); docs/protocol.md has the rules.
 *
 *   frame = header [ "\n" body ]
 *
 * The header is one line of JSON. The body follows verbatim: the messages of a JSON stream comma-joined in a text
 * frame, or the bytes of any other stream in a binary frame. We write headers in ASCII, escaping all else, so that
 * neither side needs an encoder to put a header before bytes; what we read is UTF-8.
 */

/** The one subprotocol. A client offers it and the edge repeats it. */
export const SUBPROTOCOL = "headwater.v1"

/** Before a ticket among the subprotocols that a client offers. The edge never repeats it. */
export const TICKET_PREFIX = "ticket."

/** Sent and answered as bare text; the edge's runtime answers without waking the stream. */
export const PING = "ping"
export const PONG = "pong"

/** Why the edge closes a socket. */
export const CLOSE = {
  /** The stream is closed and everything in it has been sent. */
  done: 1000,
  /** The client's side of the connection has ended without a word. It says nothing of the stream. */
  lost: 1001,
  /** A frame that cannot be answered: its header is none. */
  malformed: 4400,
  /** The caller is not known, or no longer. */
  unauthorized: 4401,
  /** There is no such stream. */
  missing: 4404,
  /** The stream was deleted, or the offset is not a place in its history. */
  gone: 4410,
  /** More is missing than a socket carries. Read it with GET, then open a socket again. */
  behind: 4426,
  /** The stream has as many sockets as it may have. */
  full: 4429,
} as const

/** Text in JSON streams, bytes in all others. */
export type FrameBody = string | Uint8Array<ArrayBuffer>

/** What a WebSocket hands over and takes. */
export type FrameData = string | ArrayBuffer | Uint8Array<ArrayBuffer>

/**
 * One append. Its fields mean what the headers of the same POST mean, and are judged like them; what `decode`
 * checks here is only that there is somebody to answer.
 */
export type AppendFrame = {
  readonly t: "append"
  /** Comes back in the reply. Any count, the client's choice. */
  readonly id: number
  readonly producer?: string
  readonly epoch?: number
  readonly seq?: number
  readonly streamSeq?: string
  readonly expectedOffset?: Offset
  readonly close?: boolean
  /** Left out: the stream's own. */
  readonly contentType?: string
  readonly body: FrameBody
}

/**
 * What the edge sends. Everything between two offsets, in order and without gap, by `data` and by `reply`
 * with `from`.
 */
export type EdgeFrame =
  | {
      readonly t: "data"
      readonly from: Offset
      readonly next: Offset
      readonly upToDate: boolean
      readonly closed: boolean
      readonly body: FrameBody
    }
  | { readonly t: "control"; readonly next: Offset; readonly upToDate: boolean; readonly closed: boolean }
  | { readonly t: "behind"; readonly next: Offset }
  | AppendReply
  | { readonly t: "pong" }

/**
 * The answer to the append frame with this id: status and headers of the same POST, header names in lower
 * case.
 */
export type AppendReply = {
  readonly t: "reply"
  readonly id: number
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /**
   * The tail before this append, when it stored something new. The reply then stands where the data frame
   * would: the batch lies between `from` and the header `stream-next-offset`.
   */
  readonly from?: Offset
  /** Why it was refused, for people. */
  readonly message?: string
}

/** Writes one append. Text bodies make text frames, bytes binary ones. */
export function encodeAppendFrame({ body, ...header }: AppendFrame): FrameBody {
  return withBody(header, body)
}

/** Writes one frame of the edge's. */
export function encodeEdgeFrame(frame: EdgeFrame): FrameBody {
  switch (frame.t) {
    case "data": {
      const { t, from, next, upToDate, closed, body } = frame
      return withBody({ t, from, next, ...marks(upToDate, closed) }, body)
    }
    case "control":
      return headerLine({ t: frame.t, next: frame.next, ...marks(frame.upToDate, frame.closed) })
    case "pong":
      return PONG
    default:
      return headerLine(frame)
  }
}

/** A mark that does not hold is left out. */
function marks(upToDate: boolean, closed: boolean): object {
  return { ...(upToDate && { upToDate }), ...(closed && { closed }) }
}

function headerLine(header: object): string {
  return JSON.stringify(header).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}

function withBody(header: object, body: FrameBody): FrameBody {
  const line = headerLine(header)
  if (body.length === 0) return line
  if (typeof body === "string") return `${line}\n${body}`
  const frame = new Uint8Array(line.length + 1 + body.length)
  for (let at = 0; at < line.length; at++) frame[at] = line.charCodeAt(at)
  frame[line.length] = NEWLINE
  frame.set(body, line.length + 1)
  return frame
}

const NEWLINE = 0x0a

type Parts = { readonly header: Record<string, unknown>; readonly body: FrameBody }

function decodeParts(data: FrameData, headerBytesMax: number): Decoded<Parts> {
  const cut =
    typeof data === "string" ? cutText(data, headerBytesMax) : cutBytes(new Uint8Array(data), headerBytesMax)
  if (cut === undefined)
    return bad(`A frame begins with one line of JSON of at most ${headerBytesMax} bytes of UTF-8.`)
  const parsed = parseJson(cut.line)
  if (!parsed.ok) return bad(`The first line of a frame is its header. ${parsed.reason}`)
  if (!isRecord(parsed.value))
    return bad("The first line of a frame is its header, a JSON object; this one is none.")
  return good({ header: parsed.value, body: cut.body })
}

type Cut = { readonly line: string; readonly body: FrameBody }

function cutText(text: string, headerBytesMax: number): Cut | undefined {
  const newline = text.indexOf("\n")
  const end = newline === -1 ? text.length : newline
  if (end > headerBytesMax) return undefined
  return { line: text.slice(0, end), body: text.slice(end + 1) }
}

function cutBytes(bytes: Uint8Array<ArrayBuffer>, headerBytesMax: number): Cut | undefined {
  const newline = bytes.indexOf(NEWLINE)
  const end = newline === -1 ? bytes.length : newline
  if (end > headerBytesMax) return undefined
  const line = utf8Text(bytes.subarray(0, end))
  return line === undefined ? undefined : { line, body: bytes.subarray(end + 1) }
}

/** UTF-8 by the one decoder that the language itself has. For headers: it is slow, and they are short. */
function utf8Text(bytes: Uint8Array): string | undefined {
  const escaped = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`)
  try {
    return decodeURIComponent(escaped.join(""))
  } catch {
    return undefined // the only thing it throws for is what is not UTF-8
  }
}

/**
 * What a client's frame says. Bad only when there is nobody to answer: such a socket is closed as
 * `malformed`.
 */
export type ClientFrame = {
  readonly id: number
  readonly fields: Record<string, unknown>
  readonly body: FrameBody
}

/**
 * Reads the outside of a client's frame. Its fields are judged with the append, and answered with a status. An edge may
 * take a longer first line than ours write.
 */
export function decodeClientFrame(
  data: FrameData,
  headerBytesMax: number = COMMON_LIMITS.frameHeaderBytesMax,
): Decoded<ClientFrame> {
  const parts = decodeParts(data, headerBytesMax)
  if (!parts.ok) return parts
  const { header: fields, body } = parts.value
  const { t, id } = fields
  if (t !== "append") return bad(`A client's frame has "t":"append"; ${JSON.stringify(t)} came.`)
  if (!isCount(id)) return bad(`An append frame has an "id", a count; ${JSON.stringify(id)} came.`)
  return good({ id, fields, body })
}

/** Reads a frame of the edge's. Fields that are not known are left out, so that an edge may say more. */
export function decodeEdgeFrame(data: FrameData): Decoded<EdgeFrame> {
  if (data === PONG) return good({ t: "pong" })
  const parts = decodeParts(data, COMMON_LIMITS.frameHeaderBytesMax)
  if (!parts.ok) return parts
  const { header, body } = parts.value
  if (header.t === "reply") return decodeReply(header)
  const next = offsetIn(header.next)
  if (next === undefined) return bad(`A "${String(header.t)}" frame has an offset "next"; this one has none.`)
  const upToDate = header.upToDate === true
  const closed = header.closed === true
  switch (header.t) {
    case "data": {
      const from = offsetIn(header.from)
      return from === undefined
        ? bad(`A "data" frame has an offset "from"; this one has none.`)
        : good({ t: "data", from, next, upToDate, closed, body })
    }
    case "control":
      return good({ t: "control", next, upToDate, closed })
    case "behind":
      return good({ t: "behind", next })
    default:
      return bad(`Frames of the edge are data, control, behind and reply; ${JSON.stringify(header.t)} came.`)
  }
}

function decodeReply(header: Record<string, unknown>): Decoded<AppendReply> {
  const { id, status, message } = header
  const from = offsetIn(header.from)
  if (!isCount(id)) return bad(`A "reply" frame has an "id", a count; this one has none.`)
  if (!isCount(status)) return bad(`A "reply" frame has a "status", a count; this one has none.`)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(isRecord(header.headers) ? header.headers : {})) {
    if (typeof value === "string") headers[name] = value
  }
  return good({
    t: "reply",
    id,
    status,
    headers,
    ...(from !== undefined && { from }),
    ...(typeof message === "string" && { message }),
  })
}

function offsetIn(value: unknown): Offset | undefined {
  return typeof value === "string" ? parseOffset(value) : undefined
}
