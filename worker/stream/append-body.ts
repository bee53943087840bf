import type { AppendBody, RawBody } from "../../shared/append.ts"
import { type Batch, decodeBatch, decodeBatchBody } from "../../shared/batch.ts"
import { bad, type Decoded, good } from "../../shared/decoded.ts"
import { utf8Length } from "../../shared/events.ts"
import type { FrameBody } from "../../shared/frames.ts"
import { isJsonType } from "../../shared/http.ts"

/** The body of an HTTP append: in a JSON stream one message, or an array of them. */
export function httpBody(bytes: Uint8Array<ArrayBuffer>): RawBody {
  return rawBody(bytes, bytes.length, decodeBatchBody)
}

/** The body of an append frame: in a JSON stream messages without brackets. */
export function frameBody(body: FrameBody): RawBody {
  return rawBody(body, typeof body === "string" ? utf8Length(body) : body.length, decodeBatch)
}

type DecodeJson = (text: string, depthMax: number) => Decoded<Batch>

function rawBody(data: FrameBody, bytes: number, decodeJson: DecodeJson): RawBody {
  return {
    bytes,
    decode: (contentType, depthMax) =>
      isJsonType(contentType) ? jsonBody(data, decodeJson, depthMax) : bytesBody(data),
  }
}

function jsonBody(data: FrameBody, decodeJson: DecodeJson, depthMax: number): Decoded<AppendBody> {
  const text = typeof data === "string" ? data : decodeUtf8(data)
  if (text === undefined) return bad("JSON is text in UTF-8; other bytes came.")
  const batch = decodeJson(text, depthMax)
  if (!batch.ok) return batch
  return good({ data: batch.value.text, count: batch.value.count, bytes: utf8Length(batch.value.text) })
}

/** An append to a stream of bytes is one message: the protocol knows no places inside it. */
function bytesBody(data: FrameBody): Decoded<AppendBody> {
  const bytes = typeof data === "string" ? Uint8Array.from(new TextEncoder().encode(data)) : data
  return good({ data: bytes, count: bytes.length === 0 ? 0 : 1, bytes: bytes.length })
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    return undefined // the only thing it throws for is what is not UTF-8
  }
}
