import type { SqlValue } from "./stream-host.ts"

/** A Durable Object binds buffers, not views of a part of one. */
export function bindable(value: SqlValue): SqlStorageValue {
  if (!(value instanceof Uint8Array)) return value
  const isWhole = value.byteLength === value.buffer.byteLength
  return (isWhole ? value.buffer : value.slice().buffer) as ArrayBuffer // nothing here is shared between threads
}
