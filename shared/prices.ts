import type { Brand } from "./brand.ts"
import { bad, type Decoded, good } from "./decoded.ts"

/** Millionths of a dollar: what a budget is kept in. */
export type Microdollars = Brand<number, "Microdollars">

/**
 * What Cloudflare asks beyond what its paid plan includes, in dollars, as its price lists for Durable Objects and R2
 * stood in 2026. An account may have other prices: what is worked out from these is an estimate.
 */
export const PRICES = {
  dollarsPerMillionRowsWritten: 1,
  dollarsPerMillionRowsRead: 0.001,
  dollarsPerMillionRequests: 0.15,
  /** An incoming WebSocket message counts as this part of a request. Outgoing ones are free. */
  requestsPerFrameIn: 1 / 20,
  dollarsPerObjectGBMonth: 0.2,
  dollarsPerSegmentGBMonth: 0.015,
} as const

/** What of a stream's use has a price. */
export type Priced = {
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly requests: number
  readonly framesIn: number
}

/** What that much use costs. How long an object is in memory has a price too, and is not known here. */
export function costOf({ rowsRead, rowsWritten, requests, framesIn }: Priced): Microdollars {
  const billed = requests + framesIn * PRICES.requestsPerFrameIn
  const cost =
    rowsWritten * PRICES.dollarsPerMillionRowsWritten +
    rowsRead * PRICES.dollarsPerMillionRowsRead +
    billed * PRICES.dollarsPerMillionRequests
  return cost as Microdollars // dollars per million times a count are millionths of a dollar
}

const GB = 1_000_000_000

/** What it costs to keep so many bytes for a month, in the stream's object and in its segments. */
export function storageCostPerMonth(bytes: {
  readonly object: number
  readonly segments: number
}): Microdollars {
  const object = (bytes.object / GB) * PRICES.dollarsPerObjectGBMonth
  const segments = (bytes.segments / GB) * PRICES.dollarsPerSegmentGBMonth
  return ((object + segments) * 1_000_000) as Microdollars // dollars times a million
}

/** Reads dollars as people write them, such as `0.25`: above 0, below a billion, six decimals at most. */
export function parseDollars(text: string): Decoded<Microdollars> {
  const [, whole = "", decimals = ""] = /^([0-9]{1,9})(?:\.([0-9]{1,6}))?$/.exec(text) ?? []
  const amount = Number(whole) * 1_000_000 + Number(decimals.padEnd(6, "0"))
  if (whole !== "" && amount > 0) return good(amount as Microdollars) // it was just made of dollars
  return bad(`dollars above 0 with up to 6 decimals, such as 0.25; ${JSON.stringify(text)} came.`)
}

/** Writes what `parseDollars` reads. */
export function writeDollars(amount: Microdollars): string {
  return (amount / 1_000_000).toFixed(6).replace(/\.?0+$/, "")
}
