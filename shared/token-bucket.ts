import type { Millis } from "./ids.ts"

/** How many may still come at once, as of a moment. */
export type Bucket = { readonly tokens: number; readonly at: Millis }

/** How fast a bucket fills, and how much it holds. */
export type BucketRate = { readonly perSecond: number; readonly burst: number }

export type Taken =
  | { readonly kind: "taken"; readonly bucket: Bucket }
  /** There is none. There will be one after so long. */
  | { readonly kind: "empty"; readonly bucket: Bucket; readonly waitMs: number }

/** A full one. */
export function newBucket({ burst }: BucketRate, now: Millis): Bucket {
  return { tokens: burst, at: now }
}

/** Takes one token. A clock that goes back gives none, and takes none away. */
export function takeToken(bucket: Bucket, { perSecond, burst }: BucketRate, now: Millis): Taken {
  const gained = (Math.max(0, now - bucket.at) * perSecond) / 1_000
  const tokens = Math.min(burst, bucket.tokens + gained)
  const at = Math.max(bucket.at, now) as Millis // the later of two moments
  if (tokens >= 1) return { kind: "taken", bucket: { tokens: tokens - 1, at } }
  return { kind: "empty", bucket: { tokens, at }, waitMs: ((1 - tokens) * 1_000) / perSecond }
}
