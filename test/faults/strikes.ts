import type { Random } from "../simulation/random.ts"
import type { Harm, Strike } from "../support/chaos-proxy.ts"

const HARMS: readonly Harm[] = ["cut", "reset", "truncate", "delay", "late", "half-open", "deaf"]

/** Messages of one direction, at each of whose ends every harm is done. */
const PLACES = [
  ...Array.from({ length: 4 }, (_, message) => ({ carrier: "http", message }) as const),
  ...Array.from({ length: 8 }, (_, message) => ({ carrier: "socket", message }) as const),
]

/** Every fault there is, 504 of them, in an order that the seed gives: its beginning has some of all kinds of harm. */
export function everyStrike(random: Random): Strike[] {
  const byHarm = HARMS.map((harm) => shuffled(random, ofHarm(harm, random)))
  return Array.from({ length: byHarm[0]?.length ?? 0 }, (_, at) => at).flatMap((at) =>
    byHarm.flatMap((strikes) => strikes[at] ?? []),
  )
}

function ofHarm(harm: Harm, random: Random): Strike[] {
  return PLACES.flatMap((place) =>
    (["up", "down"] as const).flatMap((way) =>
      ([-1, 0, 1] as const).map((shift) => ({ ...place, harm, way, shift, ms: random.whole(100, 3_000) })),
    ),
  )
}

function shuffled<T>(random: Random, list: readonly T[]): T[] {
  return list
    .map((one) => ({ one, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)
}
