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
import { authors, board, lines } from "./board.ts"

export const ROWS = "SELECT author, n, times FROM lines ORDER BY place"
const JOINED = `SELECT name, COUNT(*) AS count FROM lines JOIN authors USING (author) GROUP BY name ORDER BY name`

type LineSchemas = (typeof lines)["events"]
type AuthorSchemas = (typeof authors)["events"]

/** A small app for tests: lines of one stream, joined with the names of another. */
class App {
  client!: Client
  lines!: Stream<LineSchemas>
  authors!: Stream<AuthorSchemas>
  view: View = undefined as unknown as View // until it is open
  joined: readonly object[] = []
  calls = 0
  confirmed = 0
  rejected = 0
  appending = true

  async open(
    edge: string,
    path: string,
    account = "default",
    token?: TokenGiver,
    edgeView?: string,
  ): Promise<void> {
    this.client = await connect({ edge, account, ...(token !== undefined && { token }) })
    const streams = { lines: `${path}/lines`, authors: `${path}/authors` }
    if (edgeView !== undefined) this.view = await this.client.view(board, streams, { edgeView })
    this.lines = this.client.stream(lines, streams.lines)
    this.authors = this.client.stream(authors, streams.authors)
    this.view ??= await this.client.view(board, streams)
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
