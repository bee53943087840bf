import { connect } from "node:net"
import { expect, test } from "vitest"
import { CLOSE, encodeAppendFrame, SUBPROTOCOL } from "../../shared/frames.ts"
import { startEdge } from "../support/edge.ts"

/** Opens a socket by hand, and closes its own direction in the middle of a frame. Answers all that came. */
function closeHalf(edge: string, path: string): Promise<Buffer> {
  const { port, hostname } = new URL(edge)
  const text = Buffer.from(
    encodeAppendFrame({ t: "append", id: 0, producer: "p", epoch: 0, seq: 0, body: "1" }) as string, // of text
  )
  const frame = Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]) // masked with nothing
  return new Promise((resolve, reject) => {
    const come: Buffer[] = []
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () => {
      socket.write(
        `GET ${path}?offset=-1&live=ws HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` +
          `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
      )
    })
    socket.on("error", reject)
    socket.on("end", () => {
      socket.end()
      resolve(Buffer.concat(come))
    })
    socket.on("data", (chunk) => {
      come.push(chunk as Buffer) // no encoding was set
      const isOpen = Buffer.concat(come).includes(`"upToDate":true`)
      if (isOpen && !socket.writableEnded) socket.end(frame.subarray(0, -1))
    })
  })
}

test("[WS9] a client of which a network says that it has left is not told that the stream is closed", async () => {
  const edge = await startEdge()
  const path = "/v1/stream/half/closed"
  await fetch(edge.url + path, { method: "PUT", headers: { "content-type": "application/json" } })
  const told = await closeHalf(edge.url, path)
  const code = told.readUInt16BE(told.lastIndexOf(0x88) + 2) // the close frame is the last, and its code comes first
  expect(code).toBe(CLOSE.lost)
  await edge.stop()
})
