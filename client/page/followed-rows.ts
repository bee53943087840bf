import { HeadwaterError } from "../../shared/errors.ts"
import type { FollowedQuery, LiveAnswer, LiveNews, ViewNumber } from "../port.ts"
import type { Row } from "../row-changes.ts"
import type { FollowedAnswers, ThreadLink } from "./thread-link.ts"

/**
 * Calls with each news of a query, one at a time. Returns the way to stop.
 *
 * @param onError Hears of a failure instead; the query stays followed.
 */
export function followNews(
  link: ThreadLink,
  view: ViewNumber,
  query: FollowedQuery,
  onNews: (news: LiveNews) => void,
  onError: (error: unknown) => void,
): () => void {
  const followed = link.follow(view, query, (answer) => {
    try {
      if (answer.ok) onNews(answer.value)
      else onError(HeadwaterError.fromData(answer.error))
    } finally {
      followed.next()
    }
  })
  return followed.stop
}

type Waiter = {
  resolve(answer: IteratorResult<readonly Row[], undefined>): void
  reject(reason: unknown): void
}

const DONE = { done: true, value: undefined } as const

/**
 * The answers of a query, one at a time. The thread is told that one is dealt with when the next is asked for, so a
 * slow consumer has it run no more often than it looks, and always gets the newest rows. Nothing is followed before the
 * first is asked for.
 */
export class FollowedRows implements AsyncIterableIterator<readonly Row[]> {
  readonly #follow: (onAnswer: (answer: LiveAnswer) => void) => FollowedAnswers
  readonly #link: ThreadLink
  readonly #onOver: () => void
  #followed: FollowedAnswers | undefined
  #answer: LiveAnswer | undefined
  #waiting: Waiter[] = []
  #isTold = false
  #isOver = false
  #forget = (): void => {}

  /** @param onOver Called when no rows come any more. */
  constructor(link: ThreadLink, view: ViewNumber, query: FollowedQuery, onOver: () => void) {
    this.#link = link
    this.#onOver = onOver
    this.#follow = (onAnswer) => link.follow(view, query, onAnswer)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<readonly Row[], undefined>> {
    if (this.#isOver) return Promise.resolve(DONE)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (this.#followed === undefined) this.#start()
      else if (this.#isTold) this.#followed.next()
      this.#isTold = false
      this.#give()
    })
  }

  /** Ends the loop: whoever waits for rows is told that there are no more. Idempotent. */
  return(): Promise<IteratorResult<readonly Row[], undefined>> {
    this.#end((waiter) => waiter.resolve(DONE))
    return Promise.resolve(DONE)
  }

  #start(): void {
    this.#followed = this.#follow((answer) => {
      this.#answer = answer
      this.#give()
    })
    this.#forget = this.#link.onEnd((reason) => this.#end((waiter) => waiter.reject(reason)))
  }

  #give(): void {
    const answer = this.#answer
    const waiter = answer === undefined ? undefined : this.#waiting.shift()
    if (answer === undefined || waiter === undefined) return
    this.#answer = undefined
    this.#isTold = true
    if (answer.ok)
      return waiter.resolve({ done: false, value: "rows" in answer.value ? answer.value.rows : [] })
    this.#end((other) => other.resolve(DONE))
    waiter.reject(HeadwaterError.fromData(answer.error))
  }

  #end(tell: (waiter: Waiter) => void): void {
    this.#isOver = true
    this.#onOver()
    this.#followed?.stop()
    this.#forget()
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) tell(waiter)
  }
}
