import { pathIn } from "../http/stream-path.ts"

/** Bytes that Analytics Engine takes as an index. */
const INDEX_BYTES_MAX = 96

/** What is told of a request that is about no stream. */
const NO_STREAM = "-"

/**
 * Answers a request and, when the answer has left, writes one data point about it: the stream's path as index, method
 * and class of status as blobs, bytes in, bytes out and milliseconds as doubles. Nothing of what is in the bytes.
 */
export async function withDataPoint(
  dataset: AnalyticsEngineDataset,
  request: Request,
  answer: (request: Request) => Promise<Response>,
): Promise<Response> {
  const start = Date.now()
  const bytesIn = new ByteCount()
  const response = await answer(
    request.body === null ? request : new Request(request, { body: bytesIn.of(request.body) }),
  )
  const write = (bytesOut: number) => {
    dataset.writeDataPoint({
      indexes: [streamOf(request)],
      blobs: [request.method, `${Math.floor(response.status / 100)}xx`],
      doubles: [bytesIn.bytes, bytesOut, Date.now() - start],
    })
  }
  if (response.body === null) {
    write(0)
    return response
  }
  const bytesOut = new ByteCount()
  return new Response(
    bytesOut.of(response.body, () => write(bytesOut.bytes)),
    response,
  )
}

function streamOf(request: Request): string {
  const path = pathIn(new URL(request.url).pathname)
  return path === undefined ? NO_STREAM : path.slice(0, INDEX_BYTES_MAX) // a path of a URL is ASCII
}

/** Counts what flows by. */
class ByteCount {
  bytes = 0

  /** `over` is called once, when all has flowed by, or nobody wants the rest. */
  of(body: ReadableStream<Uint8Array>, over: () => void = () => undefined): ReadableStream<Uint8Array> {
    const counting = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        this.bytes += chunk.byteLength
        controller.enqueue(chunk)
      },
    })
    body.pipeTo(counting.writable).then(over, over)
    return counting.readable
  }
}
