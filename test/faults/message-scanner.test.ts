import { expect, test } from "vitest"
import { type MessageEnd, MessageScanner } from "../support/message-scanner.ts"

/** Each message as text, given byte by byte: that is how badly a network may cut it. */
function messagesIn(bytes: Buffer): string[] {
  const scanner = new MessageScanner()
  const ends: MessageEnd[] = []
  for (let at = 0; at < bytes.length; at++) ends.push(...scanner.take(bytes.subarray(at, at + 1)))
  return ends.map(({ at, carrier }, n) => `${carrier} ${bytes.toString("latin1", ends[n - 1]?.at ?? 0, at)}`)
}

test("[CONN1] the wire of these tests knows where heads, bodies and chunks of HTTP end", () => {
  const get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
  const post = "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\n"
  expect(messagesIn(Buffer.from(`${get}${post}abc${get}`))).toEqual(
    [get, post, "abc", get].map((text) => `http ${text}`),
  )
  const answers = [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "3\r\nabc\r\n",
    "0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
    "ab",
  ]
  expect(messagesIn(Buffer.from(answers.join("")))).toEqual(answers.map((text) => `http ${text}`))
})

test("[CONN1] the wire of these tests knows that an answer to HEAD has no body", () => {
  const asked: string[] = []
  const [up, down] = [new MessageScanner(asked), new MessageScanner(asked)]
  for (const method of ["HEAD", "GET"]) up.take(Buffer.from(`${method} / HTTP/1.1\r\n\r\n`))
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
  const ends = [head, head, "ab"].flatMap((text) => down.take(Buffer.from(text)))
  expect(ends.map(({ at }) => at)).toEqual([head.length, 2 * head.length, 2 * head.length + 2])
})

test("[CONN1] the wire of these tests knows where frames end, of every length, masked or not", () => {
  const upgrade = "HTTP/1.1 101 Switching Protocols\r\n\r\n"
  const frames = [
    Buffer.from("\x81\x02hi", "latin1"),
    Buffer.from("\x81\x82\x01\x02\x03\x04hi", "latin1"),
    Buffer.concat([Buffer.from([0x81, 126, 0x01, 0x00]), Buffer.alloc(256, "a")]),
    Buffer.concat([Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]), Buffer.alloc(65_536, "b")]),
  ]
  expect(messagesIn(Buffer.concat([Buffer.from(upgrade), ...frames]))).toEqual([
    `http ${upgrade}`,
    ...frames.map((frame) => `socket ${frame.toString("latin1")}`),
  ])
})
