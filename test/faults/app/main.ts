import { z } from "zod"
import {
  type Client,
  connect,
  defineStream,
  defineView,
  HeadwaterError,
  type Stream,
  type View,
} from "../../../client/index.ts"
import type { Report, Rhythm, Shown } from "../report.ts"

/*
 * An app for fault tests: clients that append numbered lines, and report at once what they are told of each.
 */

const lines = defineStream({
  "line.added": z.object({ author: z.string(), n: z.int(), filler: z.string() }),
})

const board = defineView({
  lines: {
    from: lines,
    table: `CREATE TABLE lines (author TEXT NOT NULL, n INTEGER NOT NULL, times INTEGER NOT NULL DEFAULT 1,
            place INTEGER PRIMARY KEY, UNIQUE (author, n)) STRICT`,
    on: {
      "line.added": `INSERT INTO lines (author, n) VALUES (:author, :n)
        ON CONFLICT (author, n) DO UPDATE SET times = times + 1`,
    },
  },
})

const SHOWN = `SELECT author, COUNT(*) AS events, MAX(n) AS last, MAX(times) AS times FROM lines GROUP BY author`

type Options = {
  readonly edge: string
  readonly path: string
  readonly author: string
  readonly account: string
  /** Bytes that each event carries beside its number. Default: few. */
  readonly fillerBytes?: number | undefined
  /** In which it appends from the beginning on. Default: when told to. */
  readonly rhythm?: Rhythm | undefined
}

/** One life of one client, with one stream and a view over it. */
class Line {
  readonly author: string
  readonly client: Client
  readonly #stream: Stream<(typeof lines)["events"]>
  readonly #view: () => Promise<View>
  readonly #filler: string
  #n = 0
  #ahead = 0
  readonly #underWay = new Set<Promise<void>>()
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(client: Client, { author, path, fillerBytes = 16 }: Options) {
    this.author = author
    this.client = client
    this.#stream = client.stream(lines, path)
    let view: Promise<View> | undefined
    this.#view = () => {
      view ??= client.view(board, { lines: path })
      return view
    }
    this.#filler = noise(fillerBytes)
    client.onStatus(({ role, streams }) => {
      const { connection = "idle", head = "-1" } = streams[path] ?? {}
      this.#report({ kind: "status", author, role, connection, head })
    })
  }

  /** Appends `count` events in this task. Resolves when it was told whether they are on disk. */
  append(count: number): Promise<void> {
    const told = this.#append(count)
    this.#underWay.add(told)
    return told.finally(() => this.#underWay.delete(told))
  }

  async #append(count: number): Promise<void> {
    const told = { author: this.author, from: this.#n, count }
    const appends = Array.from({ length: count }, () =>
      this.#stream.append("line.added", { author: this.author, n: this.#n++, filler: this.#filler }),
    )
    this.#ahead++
    try {
      const receipts = await Promise.all(appends)
      this.#report({ kind: "flushed", ...told })
      const offsets = Promise.all(receipts.map(({ confirmed }) => confirmed))
      offsets
        .then(
          ([offset = ""]) => this.#report({ kind: "confirmed", ...told, offset }),
          (reason: unknown) => this.#report({ kind: "rejected", ...told, code: codeOf(reason) }),
        )
        .finally(() => this.#ahead--)
    } catch (reason) {
      this.#ahead--
      this.#report({ kind: "refused", ...told, code: codeOf(reason) })
    }
  }

  /** Appends in a rhythm until `rest`. */
  work({ count, everyMs, aheadMax }: Rhythm): void {
    clearInterval(this.#timer)
    this.#timer = setInterval(() => {
      if (this.#ahead < aheadMax) void this.append(count)
    }, everyMs)
  }

  /** Resolves when what it has appended is on disk, and reported. */
  async rest(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#underWay)
  }

  /** Leaves the network and comes back, with the patience of a new start. */
  async reconnect(): Promise<void> {
    await this.client.pause()
    await this.client.resume()
  }

  pending(): number {
    return Object.values(this.client.status.streams).reduce((sum, { pending }) => sum + pending, 0)
  }

  /** What a view over the stream shows, author by author. */
  async shown(): Promise<readonly Shown[]> {
    return (await this.#view()).query<Shown>(SHOWN)
  }

  /** Every event that the view shows, in its order. */
  async order(): Promise<readonly string[]> {
    const rows = await (await this.#view()).query<{ name: string }>(
      "SELECT author || ' ' || n AS name FROM lines ORDER BY place",
    )
    return rows.map(({ name }) => name)
  }

  #report(report: Report): void {
    void globalThis.report(report)
  }
}

/** Text that no disk can make small. */
function noise(length: number): string {
  let text = ""
  while (text.length < length) text += crypto.randomUUID()
  return text.slice(0, length)
}

function codeOf(reason: unknown): string {
  return reason instanceof HeadwaterError ? reason.code : String(reason)
}

const open = new Map<string, Line>()

async function begin(options: Options): Promise<void> {
  const client = await connect({ edge: options.edge, account: options.account })
  const line = new Line(client, options)
  open.set(options.author, line)
  if (options.rhythm !== undefined) line.work(options.rhythm)
}

/** The client of an author that has begun on this page. */
function line(author: string): Line {
  const found = open.get(author)
  if (found === undefined) throw new Error(`${author} has not begun`)
  return found
}

/**
 * A database beside ours, by the browser's plain calls: one flushed value for each visit. Answers how many visits it
 * knows of before this one.
 */
async function countVisit(): Promise<number> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open("control")
    opening.onupgradeneeded = () => void opening.result.createObjectStore("visits", { autoIncrement: true })
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error)
  })
  const tx = db.transaction("visits", "readwrite", { durability: "strict" })
  const counting = tx.objectStore("visits").count()
  tx.objectStore("visits").add(true)
  await new Promise<void>((resolve, reject) => {
    tx.oncomplete = () => resolve()
    tx.onabort = () => reject(tx.error)
  })
  db.close()
  return counting.result
}

/** How long a write may wait for transactions that end. */
const HELD_MS = 2_000

/** Whether somebody's transaction is open for long, so that this page cannot write to the outbox. */
async function isDiskHeld(): Promise<boolean> {
  const [{ name = "" } = {}] = await indexedDB.databases()
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open(name)
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error)
  })
  const isHeld = await new Promise<boolean>((resolve) => {
    const tx = db.transaction("outbox", "readwrite")
    tx.objectStore("outbox").count()
    tx.oncomplete = () => resolve(false)
    AbortSignal.timeout(HELD_MS).addEventListener("abort", () => resolve(true))
  })
  db.close()
  return isHeld
}

declare global {
  var faults: {
    begin: typeof begin
    line: typeof line
    isDiskHeld: typeof isDiskHeld
    countVisit: typeof countVisit
  }
  /** Given by the test. */
  var report: (report: Report) => Promise<void>
}

globalThis.faults = { begin, line, isDiskHeld, countVisit }
