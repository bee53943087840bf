import { isEvent } from "../events.ts"
import type { EventId, StreamPath } from "../ids.ts"
import type { Offset } from "../offset.ts"
import { coversPath } from "../path-pattern.ts"
import { type SqlDatabase, SqlFailure, type SqlStatement, type SqlValue } from "../sql.ts"
import { type BindableEvent, bindEvent } from "./binding.ts"
import type { CompiledStatement, CompiledView } from "./compile.ts"

/** Which stream each source of a view reads: a path, or a pattern that stands for many. */
export type SourceStreams = { readonly [source: string]: string }

/** Messages of one stream, in order. */
export type FoldBatch = {
  readonly stream: StreamPath
  readonly messages: readonly unknown[]
  /** The place right behind one of them, by its index. Pending messages have none. */
  readonly offsetBehind?: ((at: number) => Offset) | undefined
}

/**
 * A source that stands still for one of its streams: a statement failed at this event, and would fail alike on every
 * device.
 */
export type Halt = {
  readonly source: string
  readonly stream: StreamPath
  /** The place right behind the event; undefined while the event is pending. */
  readonly offset: Offset | undefined
  readonly eventId: EventId
  readonly eventType: string
  readonly message: string
}

/** An event that a source passes over, because somebody has said so. */
export type Skip = { readonly source: string; readonly eventId: EventId }

/** What stands still, by `haltKey`. */
export type Halts = ReadonlyMap<string, Halt>

/** A path has no spaces, so no two pairs have one key. */
export function haltKey({ source, stream }: Pick<Halt, "source" | "stream">): string {
  return `${stream} ${source}`
}

type Runnable = Pick<CompiledStatement, "parameters" | "writes"> & {
  readonly statement: SqlStatement
  /** Written again for each event. */
  readonly values: SqlValue[]
  /** When its tables were last marked as touched. */
  markedIn: number
}

type Source = {
  readonly name: string
  readonly handlers: ReadonlyMap<string, readonly Runnable[]>
  readonly skipped: ReadonlySet<EventId>
}

/**
 * Runs events through a view's statements. Which transaction that happens in is the caller's affair; so is
 * undoing it, after which `halts` must be set back to what it was.
 */
export class ViewFold {
  /** What stands still. Later events of that source and stream are not folded; all else goes on. */
  halts: Halts = new Map()
  readonly #database: SqlDatabase
  readonly #sources: readonly (Source & { readonly reads: string })[]
  readonly #sourcesOf = new Map<StreamPath, readonly Source[]>()
  #touched = new Set<string>()
  #period = 1

  constructor(
    database: SqlDatabase,
    view: CompiledView,
    streams: SourceStreams,
    skips: readonly Skip[] = [],
  ) {
    this.#database = database
    this.#sources = view.sources.flatMap(({ name, handlers }) => {
      const reads = Object.hasOwn(streams, name) ? streams[name] : undefined
      const skipped = new Set(skips.filter(({ source }) => source === name).map(({ eventId }) => eventId))
      return reads === undefined ? [] : [{ name, reads, handlers: prepared(database, handlers), skipped }]
    })
  }

  /** Whether an event of this type and stream can change a row. */
  handles(stream: StreamPath, type: string): boolean {
    return this.#sourcesFor(stream).some(({ handlers }) => handlers.has(type))
  }

  /**
   * Folds messages of one stream, in order. What is not an event of ours, or of a type without a handler, is
   * skipped. An event whose statement fails leaves nothing behind and halts its source for this stream.
   *
   * @throws SqlFailure when the failure says nothing about the event (no memory): the rows are of no use
   * then.
   */
  fold(batch: FoldBatch): void {
    for (const source of this.#sourcesFor(batch.stream)) {
      const key = haltKey({ source: source.name, stream: batch.stream })
      for (let at = 0; at < batch.messages.length; at++) {
        if (this.halts.size > 0 && this.halts.has(key)) break
        const message = batch.messages[at]
        if (!isEvent(message)) continue
        if (source.skipped.size > 0 && source.skipped.has(message.id)) continue // to ask a set is to hash the id
        this.#foldOne(source, message, batch, at)
      }
    }
  }

  /** The tables written since this was last asked, whether or not the write was undone meanwhile. */
  takeTouched(): ReadonlySet<string> {
    const touched = this.#touched
    this.#touched = new Set()
    this.#period++
    return touched
  }

  /** Frees the statements. */
  close(): void {
    for (const { handlers } of this.#sources) {
      for (const runnables of handlers.values()) for (const { statement } of runnables) statement.finalize()
    }
  }

  #sourcesFor(stream: StreamPath): readonly Source[] {
    const known = this.#sourcesOf.get(stream)
    if (known !== undefined) return known
    const found = this.#sources.filter(({ reads }) => coversPath(reads, stream))
    this.#sourcesOf.set(stream, found)
    return found
  }

  #foldOne(source: Source, event: BindableEvent, { stream, offsetBehind }: FoldBatch, at: number): void {
    const runnables = source.handlers.get(event.type)
    if (runnables === undefined) return
    try {
      const [only] = runnables
      if (runnables.length === 1 && only !== undefined) this.#run(only, event, stream)
      else this.#database.atomically(() => this.#runAll(runnables, event, stream))
    } catch (cause) {
      if (!(cause instanceof SqlFailure) || !cause.isDeterministic) throw cause
      const halt = {
        source: source.name,
        stream,
        offset: offsetBehind?.(at),
        eventId: event.id as EventId,
        eventType: event.type,
        message: cause.message,
      }
      this.halts = new Map([...this.halts, [haltKey(halt), halt]])
    }
  }

  #runAll(runnables: readonly Runnable[], event: BindableEvent, stream: StreamPath): void {
    for (const runnable of runnables) this.#run(runnable, event, stream)
  }

  #run(runnable: Runnable, event: BindableEvent, stream: StreamPath): void {
    bindEvent(runnable.parameters, event, stream, runnable.values)
    runnable.statement.run(runnable.values)
    if (runnable.markedIn === this.#period) return
    runnable.markedIn = this.#period
    for (const table of runnable.writes) this.#touched.add(table)
  }
}

function prepared(
  database: SqlDatabase,
  handlers: ReadonlyMap<string, readonly CompiledStatement[]>,
): Map<string, Runnable[]> {
  const entries = [...handlers].map(([type, statements]): [string, Runnable[]] => [
    type,
    statements.map(({ sql, parameters, writes }) => {
      const values = parameters.map(() => null)
      return { statement: database.prepare(sql), parameters, writes, values, markedIn: 0 }
    }),
  ])
  return new Map(entries)
}
