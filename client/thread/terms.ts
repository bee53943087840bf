import { LIMITS } from "../../shared/limits.ts"
import type { WriteTransaction } from "./storage.ts"

/** Which leader a transaction acts for. Each new leader's term is greater than all before it. */
export type Term = number

/** Another tab leads by now: nothing was written, and this one must stop. */
export class Deposed extends Error {}

/*
 * The disk keeps an old leader from writing, since nobody can tell a frozen one that it is over. Whoever begins a term
 * marks the one before as over, and every write in a term first takes the mark's place and leaves it again: where the
 * mark stands, that fails, and with it all of the transaction. So a write asks nothing and waits for no answer: it has
 * left as a whole when it returns, and a leader that is frozen in the next moment holds no transaction open that
 * others would have to wait for. Reading the term first would be simpler and would do just that.
 */

/** Begins the next term. Every later write in an earlier one fails. */
export async function beginTerm(tx: WriteTransaction): Promise<Term> {
  const found = (await tx.get("meta", TERM)) as { readonly term: Term } | undefined // written just below
  const term = (found?.term ?? 0) + 1
  tx.put("meta", { name: TERM, term })
  tx.put("meta", { name: markOf(term - 1) })
  tx.delete("meta", markOf(term - LIMITS.termsRememberedMax))
  return term
}

/** Makes the transaction fail with Exists if the term is over. */
export function holdTerm(tx: WriteTransaction, term: Term): void {
  tx.insert("meta", { name: markOf(term) })
  tx.delete("meta", markOf(term))
}

const TERM = "term"

function markOf(term: Term): string {
  return `term ${term} is over`
}
