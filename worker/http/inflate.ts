/** The formats of compressed HTTP bodies, by what the platform calls them. */
export type CompressionFormat = "gzip" | "deflate"

/** What compressed bytes say. */
export type Inflated =
  | { readonly kind: "whole"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "too-large" }
  | { readonly kind: "corrupt" }

/** The platform inflates at once whatever it is given, so it is given little: this makes 4 MiB at the worst. */
const SLICE_BYTES = 4 * 1024

/** Inflates until there are more than `bytesMax`, and then no further, however much was promised. */
export async function inflate(
  bytes: Uint8Array,
  format: CompressionFormat,
  bytesMax: number,
): Promise<Inflated> {
  const { readable, writable } = new DecompressionStream(format)
  const [writer, reader] = [writable.getWriter(), readable.getReader({ mode: "byob" })]
  let isFull = false
  const filling = reader.readAtLeast(bytesMax + 1, new Uint8Array(bytesMax + 1)).then(({ value }) => {
    isFull = (value?.length ?? 0) > bytesMax
    return value
  })
  const writing = writeWhile(() => !isFull, writer, bytes)
  const [filled, written] = await Promise.allSettled([filling, writing])
  if (isFull) {
    await Promise.allSettled([reader.cancel(), writer.abort()])
    return { kind: "too-large" }
  }
  if (filled.status === "rejected" || written.status === "rejected") return { kind: "corrupt" }
  return { kind: "whole", bytes: Uint8Array.from(filled.value ?? []) }
}

async function writeWhile(
  isWanted: () => boolean,
  writer: WritableStreamDefaultWriter,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length && isWanted(); at += SLICE_BYTES) {
    await writer.write(bytes.subarray(at, at + SLICE_BYTES))
  }
  if (isWanted()) await writer.close()
}
