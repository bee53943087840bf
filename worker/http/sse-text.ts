import { HEADER, isJsonType, mediaType } from "../../shared/http.ts"
import type { Page } from "../stream/stream-reads.ts"
import { isEmpty } from "./page-response.ts"

/** Server-sent events are text; what is not text travels in base64. */
export function sseEncoding(contentType: string): Record<string, string> {
  return isText(contentType) ? {} : { [HEADER.sseEncoding]: "base64" }
}

/** A page as one data event, when it holds anything, and the one control event that goes with it. */
export function sseEvents(page: Page, cursor: number): string {
  const control = {
    streamNextOffset: page.next,
    ...(page.upToDate && { upToDate: true }),
    ...(page.closed ? { streamClosed: true } : { streamCursor: String(cursor) }), // nobody comes back after the end
  }
  const data = isEmpty(page) ? "" : sseEvent("data", sseData(page))
  return data + sseEvent("control", JSON.stringify(control))
}

function sseEvent(name: string, text: string): string {
  const lines = text.split(/\r\n|\r|\n/).map((line) => `data:${line.startsWith(" ") ? " " : ""}${line}\n`)
  return `event: ${name}\n${lines.join("")}\n`
}

function sseData({ contentType, body }: Page): string {
  return isText(contentType) ? new TextDecoder().decode(body) : base64(body)
}

function isText(contentType: string): boolean {
  return isJsonType(contentType) || mediaType(contentType).startsWith("text/")
}

const CHUNK_BYTES = 0x8000 // arguments of one call are bounded by the stack

function base64(bytes: Uint8Array): string {
  let binary = ""
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES))
  }
  return btoa(binary)
}
