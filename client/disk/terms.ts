import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { Exists, type ReadTransaction, type Storage, type WriteTransaction } from "./storage.ts"

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

/** Begins the next term: every later write in an earlier one fails. Of tabs that begin the same the first has it. */
export async function beginTerm(storage: Storage): Promise<Term> {
  const term = (await storage.read(lastTerm, ["meta"])) + 1
  try {
    await storage.write("strict", (tx) => markBegun(tx, term), ["meta"])
    return term
  } catch (reason) {
    if (reason instanceof Exists) return beginTerm(storage)
    throw reason
  }
}

/** Begins the next term in a transaction that asks other things as well. Nobody leads in it. */
export async function endTerm(tx: WriteTransaction): Promise<void> {
  markBegun(tx, (await lastTerm(tx)) + 1)
}

async function lastTerm(tx: ReadTransaction): Promise<Term> {
  const found = (await tx.get("meta", TERM)) as { readonly term: Term } | undefined // written below
  return found?.term ?? 0
}

function markBegun(tx: WriteTransaction, term: Term): void {
  tx.insert("meta", { name: markOf(term - 1) })
  tx.put("meta", { name: TERM, term })
  tx.delete("meta", markOf(term - COMMON_LIMITS.termsRememberedMax))
}

/** The record of the term is lost: goes on from the marks that are left. */
export async function mendTerm(tx: WriteTransaction): Promise<void> {
  const records = (await tx.getAll("meta", {})) as { readonly name: string }[] // the key of each
  const over = records.map(({ name }) => Number(/^term (\d+) is over$/.exec(name)?.[1] ?? 0))
  tx.put("meta", { name: TERM, term: Math.max(0, ...over) + 1 })
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
