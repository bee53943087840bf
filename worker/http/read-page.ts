import { issueOffset } from "../../shared/offset.ts"
import { sha256 } from "../segments/r2-store.ts"
import type { SegmentStore } from "../segments/sealer.ts"
import { readSegment } from "../segments/segment.ts"
import type { Page, ReadFault, Sealed } from "../stream/stream-core.ts"
import type { StreamAccess } from "./feed.ts"

/** A stream, who asks it, and the store of its segments: all that is needed to read it. */
export type Source = StreamAccess & { readonly store: SegmentStore | undefined }

/**
 * One page from an offset on, wherever it lies: what the stream's object has let go of is read here, past the object.
 *
 * @throws Error marked as retryable when a segment is missing, or is not what was sealed
 */
export async function readPage(source: Source, offset: string, end?: string): Promise<Page | ReadFault> {
  const found = await source.stub.read(offset, end, source.caller)
  return found.kind === "sealed" ? readSealed(source.store, found) : found
}

async function readSealed(
  store: SegmentStore | undefined,
  { generation, part }: Sealed,
): Promise<Page | ReadFault> {
  const { key, sha256: expected } = part.segment
  const object = await store?.get(key)
  if (object === undefined || (await sha256(object)) !== expected) {
    throw Object.assign(new Error(`The segment ${key} is missing or damaged.`), { retryable: true })
  }
  const page = readSegment(object, part)
  if (page === undefined) return { kind: "lost" }
  const from = issueOffset({ generation, ...part.place })
  const next = issueOffset({ generation, ...page.next })
  const { contentType } = part
  return { kind: "page", contentType, from, next, upToDate: false, closed: false, body: page.body }
}
