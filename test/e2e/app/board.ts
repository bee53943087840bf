import { z } from "zod"
import { defineStream, defineView } from "../../../shared/index.ts"

/** Lines of one stream, joined with the names of another. */
export const lines = defineStream({
  "line.added": z.object({ author: z.string(), n: z.int(), text: z.string() }),
  "line.odd": z.object({}),
})
export const authors = defineStream({ "author.named": z.object({ author: z.string(), name: z.string() }) })

export const board = defineView({
  lines: {
    from: lines,
    table: `CREATE TABLE lines (id TEXT PRIMARY KEY, author TEXT NOT NULL, n INTEGER NOT NULL, text TEXT NOT NULL,
            times INTEGER NOT NULL DEFAULT 1, place INTEGER NOT NULL UNIQUE) STRICT`,
    on: {
      "line.added": `INSERT INTO lines (id, author, n, text, place)
        VALUES (:event_id, :author, :n, :text, (SELECT COALESCE(MAX(place), 0) + 1 FROM lines))
        ON CONFLICT (id) DO UPDATE SET times = times + 1`,
    },
  },
  authors: {
    from: authors,
    table: "CREATE TABLE authors (author TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT",
    on: {
      "author.named":
        "INSERT INTO authors VALUES (:author, :name) ON CONFLICT (author) DO UPDATE SET name = excluded.name",
    },
  },
})
