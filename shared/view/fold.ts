import { isEvent } from "../events.ts"
import type { EventId, StreamPath } from "../ids.ts"
import { type SqlDatabase, SqlFailure, type SqlStatement, type SqlValue } from "../sql.ts"
import { type BindableEvent, bindEvent } from "./binding.ts"
import type { CompiledStatement, CompiledView } from "./compile.ts"

/**
 * A source that stands still: one of its statements failed at this event, and would fail alike on every
 * device.
 */
export type Halt = {
  readonly source: string
  readonly eventId: EventId
  readonly eventType: string
  readonly message: string
}

/** Which sources stand still, by name. */
export type Halts = ReadonlyMap<string, Halt>

type Runnable = Pick<CompiledStatement, "parameters" | "writes"> & {
  readonly statement: SqlStatement
  /** Written again for each event. */
  readonly values: SqlValue[]
  /** When its tables were last marked as touched. */
  markedIn: number
}

type Source = {
  readonly name: string
  readonly stream: StreamPath
  readonly handlers: ReadonlyMap<string, readonly Runnable[]>
}

/**
 * Runs events through a view's statements. Which transaction that happens in is the caller's affair; so is
 * undoing it, after which `halts` must be set back to what it was.
 */
export class ViewFold {
  /** The sources that stand still. Their later events are not folded; all other sources go on. */
  halts: Halts = new Map()
  readonly #database: SqlDatabase
  readonly #sources: readonly Source[]
  #touched = new Set<string>()
  #period = 1

  constructor(database: SqlDatabase, view: CompiledView, streams: { readonly [source: string]: StreamPath }) {
    this.#database = database
    this.#sources = view.sources.flatMap(({ name, handlers }) => {
      const stream = streams[name]
      return stream === undefined ? [] : [{ name, stream, handlers: prepared(database, handlers) }]
    })
  }

  /** Whether an event of this type and stream can change a row. */
  handles(stream: StreamPath, type: string): boolean {
    return this.#sources.some((source) => source.stream === stream && source.handlers.has(type))
  }

  /**
   * Folds messages of one stream, in order. What is not an event of ours, or of a type without a handler, is
   * skipped. An event whose statement fails leaves nothing behind and halts its source.
   *
   * @throws SqlFailure when the failure says nothing about the event (no memory): the rows are of no use
   * then.
   */
  fold(stream: StreamPath, messages: readonly unknown[]): void {
    for (const source of this.#sources) {
      if (source.stream !== stream) continue
      for (const message of messages) {
        if (this.halts.has(source.name)) break
        if (isEvent(message)) this.#foldOne(source, message)
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

  #foldOne(source: Source, event: BindableEvent): void {
    const runnables = source.handlers.get(event.type)
    if (runnables === undefined) return
    try {
      const [only] = runnables
      if (runnables.length === 1 && only !== undefined) this.#run(only, event, source.stream)
      else this.#database.atomically(() => this.#runAll(runnables, event, source.stream))
    } catch (cause) {
      if (!(cause instanceof SqlFailure) || !cause.isDeterministic) throw cause
      const halt = {
        source: source.name,
        eventId: event.id as EventId,
        eventType: event.type,
        message: cause.message,
      }
      this.halts = new Map([...this.halts, [source.name, halt]])
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
