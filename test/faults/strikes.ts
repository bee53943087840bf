import type { Random } from "../simulation/random.ts"
import type { Harm, Strike } from "../support/chaos-proxy.ts"

/** Nobody is told of these, so each of them takes half a minute to be found. */
export const SILENT: readonly Harm[] = ["half-open", "deaf"]

const HARMS: readonly Harm[] = [...SILENT, "cut", "reset", "truncate", "delay", "late"]

/** Rounds of the others that come before the first silent ones, so that a short run has few of them. */
const HEAD_START = 2

/** Messages of one direction, at each of whose ends every harm is done. */
const PLACES = [
  ...Array.from({ length: 4 }, (_, message) => ({ carrier: "http", message }) as const),
  ...Array.from({ length: 8 }, (_, message) => ({ carrier: "socket", message }) as const),
]

/** Every fault there is, 504 of them, in an order that the seed gives: its beginning has some of all kinds of harm. */
export function everyStrike(random: Random): Strike[] {
  const decks = HARMS.map((harm) => {
    const strikes = shuffled(random, ofHarm(harm, random))
    return SILENT.includes(harm) ? [...Array<undefined>(HEAD_START), ...strikes] : strikes
  })
  const rounds = Math.max(...decks.map(({ length }) => length))
  return Array.from({ length: rounds }, (_, round) => decks.flatMap((deck) => deck[round] ?? [])).flat()
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
