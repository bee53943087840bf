import { z } from "zod"
import {
  type Client,
  type ClientStatus,
  connect,
  defineStream,
  defineView,
  type Stream,
  type TokenGiver,
  type View,
} from "../../../client/index.ts"

/** A small app for tests: lines of one stream, joined with the names of another. */
const lines = defineStream({
  "line.added": z.object({ author: z.string(), n: z.int(), text: z.string() }),
  "line.odd": z.object({}),
})
const authors = defineStream({ "author.named": z.object({ author: z.string(), name: z.string() }) })

const board = defineView({
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

export const ROWS = "SELECT author, n, times FROM lines ORDER BY place"
const JOINED = `SELECT name, COUNT(*) AS count FROM lines JOIN authors USING (author) GROUP BY name ORDER BY name`

type LineSchemas = (typeof lines)["events"]
type AuthorSchemas = (typeof authors)["events"]

class App {
  client!: Client
  lines!: Stream<LineSchemas>
  authors!: Stream<AuthorSchemas>
  view!: View
  joined: readonly object[] = []
  calls = 0
  confirmed = 0
  rejected = 0
  appending = true

  async open(edge: string, path: string, account = "default", token?: TokenGiver): Promise<void> {
    this.client = await connect({ edge, account, ...(token !== undefined && { token }) })
    this.lines = this.client.stream(lines, `${path}/lines`)
    this.authors = this.client.stream(authors, `${path}/authors`)
    this.view = await this.client.view(board, { lines: `${path}/lines`, authors: `${path}/authors` })
    this.view.live(JOINED, [], (rows) => {
      this.joined = rows
      this.calls++
    })
  }

  /** Appends `count` lines in one task, awaiting nothing. */
  burst(author: string, from: number, count: number): void {
    for (let n = from; n < from + count; n++) void this.add(author, n)
  }

  async add(author: string, n: number): Promise<void> {
    await this.#append(author, n)
  }

  /** Appends one line after another, up to a hundred ahead of the edge, until `stopAppending`. */
  async keepAppending(author: string): Promise<void> {
    for (let n = 0; this.appending; n++) {
      const receipt = await this.#append(author, n)
      if (n % 100 === 99) await receipt.confirmed
    }
  }

  async #append(author: string, n: number) {
    const receipt = await this.lines.append("line.added", { author, n, text: `line ${n} of ${author}` })
    void receipt.confirmed.then(
      () => this.confirmed++,
      () => this.rejected++,
    )
    return receipt
  }

  async name(author: string, name: string): Promise<void> {
    await this.authors.append("author.named", { author, name })
  }

  rows(): Promise<{ author: string; n: number; times: number }[]> {
    return this.view.query(ROWS)
  }

  status(): ClientStatus {
    return this.client.status
  }

  pending(): number {
    return Object.values(this.client.status.streams).reduce((sum, { pending }) => sum + pending, 0)
  }
}

declare global {
  var app: App
  var headwater: {
    connect: typeof connect
    defineStream: typeof defineStream
    defineView: typeof defineView
    z: typeof z
  }
}

globalThis.app = new App()
globalThis.headwater = { connect, defineStream, defineView, z }
