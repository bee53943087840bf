import { decodeEdgeFrame, type EdgeFrame, type FrameData, SUBPROTOCOL } from "../../shared/frames.ts"

/** A socket to a stream, from an offset on. It may fail to open: then it closes with 1006, as sockets do. */
export function openEdgeSocket(streamUrl: string, offset: string): WebSocket {
  const socket = new WebSocket(
    `${streamUrl.replace(/^http/, "ws")}?live=ws&offset=${encodeURIComponent(offset)}`,
    SUBPROTOCOL,
  )
  socket.binaryType = "arraybuffer"
  return socket
}

/** What the data of a message says. @throws when it is no frame of an edge's. */
export function frameIn(event: Event): EdgeFrame {
  const frame = decodeEdgeFrame((event as MessageEvent<FrameData>).data) // text or an ArrayBuffer, as asked for
  if (!frame.ok) throw new Error(frame.reason)
  return frame.value
}

/** The frames of a socket in order, as they come; its value is the code it was closed with. */
export async function* edgeFrames(
  streamUrl: string,
  offset: string,
  signal: AbortSignal,
): AsyncGenerator<EdgeFrame, number> {
  const socket = openEdgeSocket(streamUrl, offset)
  const come: (EdgeFrame | number)[] = []
  let wake: () => void = () => undefined
  const take = (one: EdgeFrame | number) => {
    come.push(one)
    wake()
  }
  socket.addEventListener("message", (event) => take(frameIn(event)))
  socket.addEventListener("close", ({ code }) => take(code))
  signal.addEventListener("abort", () => socket.close())
  if (signal.aborted) socket.close()
  try {
    for (;;) {
      const one = come.shift()
      if (typeof one === "number") return one
      if (one !== undefined) yield one
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  } finally {
    socket.close()
  }
}
