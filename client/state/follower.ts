import { HeadwaterError } from "../../shared/errors.ts"
import { asObjects } from "../../shared/view/query.ts"
import type { Row, RowChanges } from "../row-changes.ts"
import { type Answer, equalAnswers, NOTHING } from "./answer.ts"
import { answerChanges, isUnchanged, type RowKey } from "./answer-changes.ts"
import type { Outcome } from "./shared-query.ts"

/** Whoever follows a query. It is told one thing, and the next when it has asked for that. */
export type LiveListener = RowsListener | ChangesListener

export type RowsListener = {
  /** The rows now: once at the beginning and then whenever they differ from those that were told last. */
  onRows(rows: readonly Row[]): void
  /** The query failed while it ran. It stays followed and may answer again. */
  onError(error: HeadwaterError): void
}

export type ChangesListener = {
  readonly key: RowKey
  /**
   * How the rows differ from those that were told last. The first time all are added; after an error it is told that
   * there are rows again, even if they are those of before.
   */
  onChanges(changes: RowChanges): void
  onError(error: HeadwaterError): void
}

/** One listener, and what it was told. */
export class Follower {
  /** Whether it is not done with what it was told. */
  isBusy = false
  readonly #listener: LiveListener
  #told: Answer | undefined
  /** What it has heard of last, told or not worth telling. */
  #heard: Outcome | undefined
  #hasFailed = false

  constructor(listener: LiveListener) {
    this.#listener = listener
  }

  /** Tells it what the query comes to now, if it is not busy and does not know. */
  hear(outcome: Outcome): void {
    if (this.isBusy || outcome === this.#heard) return
    this.#heard = outcome
    if (outcome instanceof HeadwaterError) return this.#fail(outcome)
    if ("key" in this.#listener) return this.#tellChanges(this.#listener, outcome)
    const isNews = this.#told === undefined || this.#hasFailed || !equalAnswers(this.#told, outcome)
    this.#note(outcome, isNews)
    if (isNews) this.#listener.onRows(asObjects(outcome.columns, outcome.rows))
  }

  #tellChanges(listener: ChangesListener, outcome: Answer): void {
    let changes: RowChanges
    try {
      changes = answerChanges(this.#told ?? NOTHING, outcome, listener.key)
    } catch (cause) {
      if (!(cause instanceof HeadwaterError)) throw cause
      return this.#fail(cause)
    }
    const isNews = this.#told === undefined || this.#hasFailed || !isUnchanged(changes)
    this.#note(outcome, isNews)
    if (isNews) listener.onChanges(changes)
  }

  #note(outcome: Answer, isTold: boolean): void {
    this.#told = outcome
    this.#hasFailed = false
    this.isBusy = isTold
  }

  #fail(error: HeadwaterError): void {
    this.#hasFailed = true
    this.isBusy = true
    this.#listener.onError(error)
  }
}
