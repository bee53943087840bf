import { VIEW_LIMITS } from "../../shared/common-limits.ts"
import type { Millis } from "../../shared/ids.ts"
import type { CompiledQuery, QueryParameters } from "../../shared/view/query.ts"
import type { Host } from "../host.ts"
import { checkKey } from "./answer-changes.ts"
import { Follower, type LiveListener } from "./follower.ts"
import { parametersKey, SharedQuery } from "./shared-query.ts"

/** A query that is followed, in the hands of its listener. */
export type Followed = {
  /** What was told last has been dealt with. What has changed meanwhile is told as it is now. */
  next(): void
  /** Ends it; calling it twice is fine. */
  stop(): void
}

/** Compiles a query over the tables of now. @throws HeadwaterError `invalid-query`. */
type Compile = (sql: string) => CompiledQuery

/** How long one turn may take, and how to let others go first. */
export type Pace = Pick<Host, "now" | "turn">

/**
 * The queries that are followed. Those of the same text and parameters are one, however many listeners it has: it runs
 * once for all of them.
 *
 * A query whose tables have changed is due. What is due runs in the order in which it became so, for a few milliseconds
 * of a turn, the rest in later turns; whatever runs reads the rows of that moment.
 */
export class LiveQueries {
  readonly #pace: Pace
  #compile: Compile
  readonly #shared = new Map<string, SharedQuery>()
  readonly #due = new Set<SharedQuery>()
  #hasTurn = false

  constructor(pace: Pace, compile: Compile) {
    this.#pace = pace
    this.#compile = compile
  }

  /**
   * Answers at once, then after each `refresh`, one answer at a time.
   *
   * @throws HeadwaterError `invalid-query` when it does not compile, or has not the columns of the listener's key.
   */
  follow(sql: string, parameters: QueryParameters, listener: LiveListener): Followed {
    const name = `${parametersKey(parameters)} ${sql}`
    const shared = this.#shared.get(name) ?? new SharedQuery(sql, parameters, this.#compile(sql))
    if ("key" in listener) {
      try {
        checkKey(shared.columns, listener.key)
      } catch (cause) {
        if (!this.#shared.has(name)) shared.close()
        throw cause
      }
    }
    this.#shared.set(name, shared)
    const follower = new Follower(listener)
    shared.followers.add(follower)
    if (shared.isStale) this.#run(shared)
    else follower.hear(shared.outcome)
    return {
      next: () => this.#next(shared, follower),
      stop: () => {
        shared.followers.delete(follower)
        if (shared.followers.size === 0 && this.#shared.get(name) === shared) this.#drop(name, shared)
      },
    }
  }

  /**
   * The same queries over another database: they answer again where its rows differ, or fail if it has not the tables.
   */
  move(compile: Compile): void {
    this.#compile = compile
    for (const shared of this.#shared.values()) {
      shared.move(compile)
      this.#due.add(shared)
    }
    this.#work()
  }

  /**
   * Runs again what reads one of these tables, unless all its listeners are still busy: then when one is done, once for
   * all that has changed. A listener may stop itself or others meanwhile.
   */
  refresh(changed: ReadonlySet<string>): void {
    if (changed.size > 0) {
      for (const shared of this.#shared.values()) {
        if (!shared.readsFrom(changed)) continue
        shared.isStale = true
        this.#due.add(shared)
      }
    }
    if (!this.#hasTurn) this.#work()
  }

  close(): void {
    for (const [name, shared] of this.#shared) this.#drop(name, shared)
  }

  #next(shared: SharedQuery, follower: Follower): void {
    follower.isBusy = false
    if (!shared.followers.has(follower)) return
    if (this.#due.has(shared)) return // its turn comes
    if (shared.isStale) this.#run(shared)
    else follower.hear(shared.outcome)
  }

  #work(): void {
    const start = this.#pace.now()
    for (const shared of this.#due) {
      if (this.#pace.now() - start >= VIEW_LIMITS.liveMsPerTurn) return this.#goOnLater()
      if (shared.hasIdle()) this.#run(shared)
      else this.#due.delete(shared) // whoever is done first has it run
    }
  }

  #goOnLater(): void {
    if (this.#hasTurn) return
    this.#hasTurn = true
    void this.#pace.turn().then(() => {
      this.#hasTurn = false
      this.#work()
    })
  }

  #run(shared: SharedQuery): void {
    this.#due.delete(shared)
    shared.run()
    for (const follower of [...shared.followers])
      if (shared.followers.has(follower)) follower.hear(shared.outcome)
  }

  #drop(name: string, shared: SharedQuery): void {
    this.#shared.delete(name)
    this.#due.delete(shared)
    shared.followers.clear()
    shared.close()
  }
}

/** Runs everything in the turn in which it is due: time stands still. */
export const AT_ONCE: Pace = { now: () => 0 as Millis, turn: () => Promise.resolve() } // a time like any other
