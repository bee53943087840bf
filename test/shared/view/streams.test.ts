import { expect, test } from "vitest"
import { openNodeSqlite } from "../../../client/node/node-sqlite.ts"
import { compileView } from "../../../shared/view/compile.ts"
import { checkStreams } from "../../../shared/view/streams.ts"

const TABLE = "CREATE TABLE cards (board TEXT, id TEXT, PRIMARY KEY (board, id)) WITHOUT ROWID"
const INSERT = "INSERT INTO cards VALUES (:event_stream, :id)"

const compiled = (...removed: string[]) =>
  compileView(openNodeSqlite(), "boards", {
    cards: { tables: [TABLE], on: { "card.made": [INSERT], "card.removed": removed } },
    people: {
      tables: ["CREATE TABLE people (id)"],
      on: { "person.came": ["INSERT INTO people VALUES (:id)"] },
    },
  })

test("[VIEW22] a source over a pattern keeps the rows of its streams apart", () => {
  const view = compiled("DELETE FROM cards WHERE board = :event_stream AND id = :id")
  expect(() => checkStreams(view, { cards: "boards/*", people: "team/people" })).not.toThrow()
  expect(() => checkStreams(view, { cards: "boards/*", people: "team/**" })).toThrow(
    `View "boards", source "people", event "person.came", statement 1: expected :event_stream, because "team/**" ` +
      `stands for several streams; got "INSERT INTO people VALUES (:id)".`,
  )
})

test("[VIEW22] each statement does, and not only the first; over one stream none has to", () => {
  const view = compiled("DELETE FROM cards WHERE board = :event_stream", "DELETE FROM cards WHERE id = :id")
  const people = "team/people"
  expect(() => checkStreams(view, { cards: "boards/*", people })).toThrow(
    `event "card.removed", statement 2: expected`,
  )
  expect(() => checkStreams(view, { cards: "boards/one", people })).not.toThrow()
})

test("[VIEW22] no number is given to the rows of all streams together", () => {
  const over =
    (tables: string[], ...made: string[]) =>
    () =>
      checkStreams(
        compileView(openNodeSqlite(), "boards", { cards: { tables, on: { "card.made": made } } }),
        { cards: "boards/*" },
      )
  expect(over(["CREATE TABLE cards (n INTEGER PRIMARY KEY, board)"])).toThrow(
    `source "cards": expected another key for "cards", because "boards/*" stands for several streams; got INTEGER`,
  )
  const words = "CREATE VIRTUAL TABLE words USING fts5(text, board UNINDEXED)"
  expect(over([words], "DELETE FROM words WHERE rowid = :id AND board = :event_stream")).toThrow(
    `statement 1: expected rows to be found by their columns, because "boards/*" stands for several streams; got rowid`,
  )
  expect(over([words], "DELETE FROM words WHERE board = :event_stream")).not.toThrow()
  expect(over(["CREATE TABLE t (oid, board)"], "DELETE FROM t WHERE oid = :event_stream")).not.toThrow()
})

test("[VIEW14] each source has a stream", () => {
  expect(() => checkStreams(compiled(), { cards: "boards/one" })).toThrow(
    `View "boards": expected a stream for people; got none.`,
  )
})
