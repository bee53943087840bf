import { HeadwaterError } from "../../shared/errors.ts"
import type { CompiledQuery, QueryParameters, QueryValue } from "../../shared/view/query.ts"
import { type Answer, equalAnswers, NOTHING } from "./answer.ts"
import type { Follower } from "./follower.ts"

/** What a query came to when it last ran. The same object as long as it is the same answer. */
export type Outcome = Answer | HeadwaterError

/** A query with its parameters, and all who follow it. */
export class SharedQuery {
  readonly followers = new Set<Follower>()
  /** Whether rows may have changed since it ran. */
  isStale = true
  readonly #sql: string
  readonly #parameters: QueryParameters
  /** Undefined: it does not compile over the tables of now. */
  #query: CompiledQuery | undefined
  #outcome: Outcome = NOTHING

  constructor(sql: string, parameters: QueryParameters, query: CompiledQuery) {
    this.#sql = sql
    this.#parameters = parameters
    this.#query = query
  }

  get outcome(): Outcome {
    return this.#outcome
  }

  get columns(): readonly string[] {
    return this.#query?.columns ?? []
  }

  readsFrom(tables: ReadonlySet<string>): boolean {
    for (const table of this.#query?.tables ?? []) if (tables.has(table)) return true
    return false
  }

  hasIdle(): boolean {
    for (const { isBusy } of this.followers) if (!isBusy) return true
    return false
  }

  run(): void {
    this.isStale = false
    const query = this.#query
    if (query === undefined) return
    try {
      const answer = { columns: query.columns, rows: query.rows(this.#parameters) }
      const isSame = !(this.#outcome instanceof HeadwaterError) && equalAnswers(this.#outcome, answer)
      if (!isSame) this.#outcome = answer
    } catch (cause) {
      this.#outcome = failureOf(cause)
    }
  }

  move(compile: (sql: string) => CompiledQuery): void {
    this.isStale = true
    this.#query?.close()
    this.#query = undefined
    try {
      this.#query = compile(this.#sql)
    } catch (cause) {
      this.#outcome = failureOf(cause)
    }
  }

  close(): void {
    this.#query?.close()
    this.#query = undefined
  }
}

function failureOf(cause: unknown): HeadwaterError {
  if (cause instanceof HeadwaterError) return cause
  throw cause
}

/** Equal for parameters that bind alike. */
export function parametersKey(parameters: QueryParameters): string {
  const entries = Object.entries(parameters as Record<string, QueryValue>) // a list has its positions for names
  if (!Array.isArray(parameters)) entries.sort(([left], [right]) => (left < right ? -1 : 1))
  return JSON.stringify([Array.isArray(parameters), ...entries.map(([name, value]) => [name, typed(value)])])
}

/** What JSON tells apart as SQLite does. */
function typed(value: QueryValue): unknown {
  if (value instanceof Uint8Array) return ["bytes", ...value]
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value
  return [typeof value, Object.is(value, -0) ? "-0" : String(value)]
}
