import type { IDBPTransaction } from "idb"

/*
 * A transaction can be committed before its requests have been answered, and then nothing that happens to this thread
 * can stop it. If a request fails after that, the transaction must fail with it. Gecko keeps to this only when it was
 * the last request that failed: else it commits the others, and a leader that was deposed would write on. Chromium and
 * WebKit give up the whole.
 */

export type Transaction = IDBPTransaction<unknown, string[], "readwrite" | "readonly">

/** Every other engine is taken for one like Gecko. Some import this where there is no browser at all. */
const GIVES_UP_WHOLE = /\bAppleWebKit\//.test(globalThis.navigator?.userAgent ?? "")

/**
 * Commits at once where that is safe. Where it is not, the browser commits when all requests have been answered and
 * none has failed, for which this thread must live on.
 *
 * @param unanswered How many requests to write may still fail. One that left by itself is the last one everywhere;
 * behind a read it is not, since Gecko then counts differently.
 */
export function commit(tx: Transaction, unanswered: number, isBehindRead: boolean): void {
  if (GIVES_UP_WHOLE || (unanswered <= 1 && !isBehindRead)) tx.commit()
}

/**
 * Notes which request was the first to fail by itself, and why. The transaction's own error is not enough: it comes
 * later, and once a commit was asked for Gecko says no more than `AbortError`, and WebKit nothing.
 */
export function noteFailure(tx: Transaction): () => DOMException | null {
  let first: DOMException | null = null
  tx.addEventListener("error", ({ target }) => {
    const { error } = target as IDBRequest // the events of a transaction's requests pass through it
    if (error?.name !== "AbortError") first ??= error // else it fell with the transaction
  })
  return () => first ?? tx.error
}
