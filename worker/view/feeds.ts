import type { StreamPath } from "../../shared/ids.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { isPattern } from "../../shared/path-pattern.ts"
import type { SqlRow } from "../../shared/sql.ts"
import type { SourceStreams } from "../../shared/view/fold.ts"
import { type Statements, textAt } from "./statements.ts"

/*
 *   headwater_feeds   key source, stream   one source's way through one stream: folded up to `offset`, and standing
 *                                          still there for the reason in `halt`, if there is one. `caught_up` says
 *                                          that it has come to the tail once, or cannot. `watched`: the stream tells
 */
const TABLE = `CREATE TABLE headwater_feeds (
  source TEXT NOT NULL, stream TEXT NOT NULL, offset TEXT NOT NULL, caught_up INTEGER NOT NULL,
  watched INTEGER NOT NULL, halt TEXT, PRIMARY KEY (source, stream)
) WITHOUT ROWID`

/** Why a source stands still for one stream. */
export type FeedHalt =
  /** A statement failed at the event that ends at `offset`, and would fail alike everywhere. It can be skipped. */
  | {
      readonly kind: "event"
      readonly offset: Offset
      readonly event: { readonly id: string; readonly type: string }
      readonly message: string
    }
  /** What lies between is kept no longer. It can be skipped, up to `earliest`. */
  | { readonly kind: "trimmed"; readonly earliest: Offset }
  /** The stream was deleted, or is another one by now, or was put back to an older copy: only a rebuild goes on. */
  | { readonly kind: "deleted" | "recreated" | "rolled-back" }
  /** It holds no JSON. */
  | { readonly kind: "no-json"; readonly contentType: string }

export type Feed = {
  readonly source: string
  readonly stream: StreamPath
  readonly offset: Offset
  readonly isCaughtUp: boolean
  readonly halt: FeedHalt | undefined
}

/** How far each source has come with each of its streams. Its caller holds the transaction. */
export class Feeds {
  readonly #statements: Statements

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** Begins with the sources that read one stream each. */
  create(streams: SourceStreams): void {
    this.#statements.database.exec(TABLE)
    for (const [source, path] of Object.entries(streams)) if (!isPattern(path)) this.add(source, path)
  }

  /** Repeatable. */
  add(source: string, stream: string): void {
    this.#statements.run(
      "INSERT INTO headwater_feeds VALUES (?, ?, ?, 0, 0, NULL) ON CONFLICT DO NOTHING",
      source,
      stream,
      START,
    )
  }

  count(): number {
    return Number(this.#statements.all("SELECT count(*) FROM headwater_feeds")[0]?.[0])
  }

  all(): Feed[] {
    return this.#statements.all(`SELECT ${COLUMNS} FROM headwater_feeds ORDER BY stream, source`).map(feedOf)
  }

  of(stream: string): Feed[] {
    return this.#statements
      .all(`SELECT ${COLUMNS} FROM headwater_feeds WHERE stream = ? ORDER BY source`, stream)
      .map(feedOf)
  }

  /** The streams that some source goes on with. */
  moving(): StreamPath[] {
    const rows = this.#statements.all(
      "SELECT DISTINCT stream FROM headwater_feeds WHERE halt IS NULL ORDER BY stream",
    )
    return rows.map((row) => textAt(row, 0) as StreamPath) // was one when it was stored
  }

  isWatched(stream: string): boolean {
    return (
      this.#statements.all("SELECT 1 FROM headwater_feeds WHERE stream = ? AND watched = 0", stream)
        .length === 0
    )
  }

  noteWatched(stream: string, isWatched: boolean): void {
    const watched = isWatched ? 1 : 0
    this.#statements.run(
      "UPDATE headwater_feeds SET watched = ?1 WHERE stream = ?2 AND watched <> ?1",
      watched,
      stream,
    )
  }

  /** Whether some feed has not come to the tail yet. */
  isBehind(): boolean {
    return this.#statements.all("SELECT 1 FROM headwater_feeds WHERE caught_up = 0 LIMIT 1").length > 0
  }

  write({ source, stream, offset, isCaughtUp, halt }: Feed): void {
    this.#statements.run(
      "UPDATE headwater_feeds SET offset = ?, caught_up = ?, halt = ? WHERE source = ? AND stream = ?",
      offset,
      isCaughtUp ? 1 : 0,
      halt === undefined ? null : JSON.stringify(halt),
      source,
      stream,
    )
  }
}

const COLUMNS = "source, stream, offset, caught_up, halt"

function feedOf(row: SqlRow): Feed {
  const halt = row[4]
  return {
    source: textAt(row, 0),
    stream: textAt(row, 1) as StreamPath, // was one when it was stored, as the next two
    offset: textAt(row, 2) as Offset,
    isCaughtUp: row[3] === 1,
    halt: typeof halt === "string" ? (JSON.parse(halt) as FeedHalt) : undefined,
  }
}
