import { z } from "zod"
import { defineStream, defineView } from "../../../client/index.ts"

export const items = defineStream({
  "item.added": z.object({ n: z.int(), at: z.number(), text: z.string() }),
})

export const TABLE = "CREATE TABLE items (n INTEGER PRIMARY KEY, at REAL NOT NULL, text TEXT NOT NULL) STRICT"
/** The columns in the order of `TABLE`. */
export const INSERT = "INSERT INTO items VALUES (:n, :at, :text) ON CONFLICT DO NOTHING"
export const NEWEST = "SELECT n, at, text FROM items ORDER BY n DESC LIMIT 50"
export const COUNT = "SELECT COUNT(*) AS count FROM items"

export const itemView = defineView({ items: { from: items, table: TABLE, on: { "item.added": INSERT } } })

/** Other rows of the same events. */
export const otherItemView = defineView({
  items: { from: items, table: TABLE, on: { "item.added": INSERT.replace(":text", "upper(:text)") } },
})

export type Item = { readonly n: number; readonly at: number; readonly text: string }

/** Items that begin at `from`, made before the clock runs: making them is no part of what is measured. */
export function someItems(count: number, from = 0): Item[] {
  return Array.from({ length: count }, (_, i) => ({ n: from + i, at: 0, text: `item ${from + i}` }))
}

/** Items for some turns of a page, numbered on from turn to turn. */
export function someTurns(turns: number, perTurn: number): Item[][] {
  return Array.from({ length: turns }, (_, turn) => someItems(perTurn, turn * perTurn))
}

/** The event that a client would make of an item. */
export function eventText(item: Item): string {
  const attributes = {
    id: crypto.randomUUID(),
    type: "item.added",
    source: "bench",
    time: new Date().toISOString(),
  }
  return JSON.stringify({ ...attributes, data: item })
}
