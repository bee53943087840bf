import { expect, test } from "vitest"
import { z } from "zod"
import { defineStream, defineView, openNodeView } from "../../../client/node/index.ts"

const cards = defineStream({
  "card.made": z.object({ id: z.string(), text: z.string() }),
  "card.removed": z.object({ id: z.string() }),
})
const people = defineStream({ "person.came": z.object({ name: z.string() }) })

const boards = defineView({
  cards: {
    from: cards,
    table: [
      "CREATE TABLE cards (board TEXT, id TEXT, text TEXT NOT NULL, PRIMARY KEY (board, id)) STRICT, WITHOUT ROWID",
      "CREATE VIRTUAL TABLE words USING fts5(text, id UNINDEXED, board UNINDEXED)",
    ],
    on: {
      "card.made": [
        "INSERT INTO cards VALUES (:event_stream, :id, :text)",
        "INSERT INTO words VALUES (:text, :id, :event_stream)",
      ],
      "card.removed": [
        "DELETE FROM cards WHERE board = :event_stream AND id = :id",
        "DELETE FROM words WHERE board = :event_stream AND id = :id",
      ],
    },
  },
  people: {
    from: people,
    table: "CREATE TABLE people (name TEXT PRIMARY KEY)",
    on: { "person.came": "INSERT INTO people VALUES (:name)" },
  },
})
const streams = { cards: "boards/*", people: "team/people" }

let count = 0
const event = (type: string, data: object) => ({ id: `e${++count}`, type, source: "s", time: "t", data })
const one = [
  event("card.made", { id: "a", text: "a tall tree" }),
  event("card.made", { id: "b", text: "a bird" }),
]
const two = [event("card.made", { id: "a", text: "another tree" }), event("card.removed", { id: "b" })]

test("[VIEW23] a script folds streams and asks for rows, as a browser does", () => {
  const view = openNodeView(boards, streams)
  view.fold("boards/one", [...one, "no event", { id: "x", type: "card.unknown" }])
  view.fold("boards/two", two)
  view.fold("elsewhere/two", one)
  expect(view.query("SELECT board, id FROM cards WHERE text LIKE ? ORDER BY board", ["%tree"])).toEqual([
    { board: "boards/one", id: "a" },
    { board: "boards/two", id: "a" },
  ])
  expect(view.query("SELECT board FROM words WHERE words MATCH :q", { q: "bird" })).toEqual([
    { board: "boards/one" },
  ])
  expect(view.halts).toEqual([])
  expect(() => view.query("DELETE FROM cards")).toThrow("expected SELECT, VALUES or WITH")
  expect(() => view.fold("no path!", [])).toThrow("A stream path is")
  view.close()
})

test("[VIEW22] how streams come beside each other makes no difference to the hash, what they hold does", async () => {
  const apart = openNodeView(boards, streams)
  apart.fold("boards/one", one)
  apart.fold("boards/two", two)
  const mixed = openNodeView(boards, streams)
  for (let at = 0; at < 2; at++) {
    mixed.fold("boards/two", two.slice(at, at + 1))
    mixed.fold("boards/one", one.slice(at, at + 1))
  }
  expect(await mixed.hash()).toEqual(await apart.hash())
  mixed.fold("boards/two", [event("card.removed", { id: "a" })])
  const hash = await mixed.hash()
  expect(hash.view).not.toBe((await apart.hash()).view)
  expect(hash.tables.people).toBe((await apart.hash()).tables.people)
  expect(Object.keys(hash.tables)).toEqual(["cards", "people", "words"])
})

test("[VIEW10] an event whose statement fails halts its source and stream, and nothing else", () => {
  const view = openNodeView(boards, streams)
  const twice = event("card.made", { id: "a", text: "once more" })
  view.fold("boards/one", [...one, twice, event("card.removed", { id: "a" })])
  view.fold("boards/two", one)
  expect(view.halts).toMatchObject([
    { source: "cards", stream: "boards/one", eventId: twice.id, eventType: "card.made" },
  ])
  expect(view.query("SELECT count(*) AS n FROM cards")).toEqual([{ n: 4 }])
})

test("[VIEW23] what is no view of these streams is refused; a closed one says so", () => {
  expect(() => openNodeView(boards, { cards: "boards/*" })).toThrow("a stream for people; got none")
  expect(() => openNodeView(boards, { cards: "boards/ä", people: "p" })).toThrow("A stream path is")
  const view = openNodeView(boards, streams)
  view.close()
  view.close()
  expect(() => view.query("SELECT 1")).toThrow("The view is closed.")
  expect(() => view.fold("boards/one", [])).toThrow("The view is closed.")
})
