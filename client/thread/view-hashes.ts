import type { StreamPath } from "../../shared/ids.ts"
import type { Offset } from "../../shared/offset.ts"
import { type StateHash, stateHash } from "../../shared/view/state-hash.ts"
import type { Host } from "../host.ts"
import type { ViewState } from "../state/view-state.ts"
import type { OpenView } from "./open-view.ts"

/** What a view's confirmed rows come to, and which events they are the fold of. */
export type ViewHash = StateHash & { readonly cursor: Readonly<Record<string, Offset>> }

/** Whether rows are those that they should be. */
export type Verdict = {
  readonly isEqual: boolean
  /** The tables that differ. */
  readonly tables: readonly string[]
  /** The rows were last known to be right at `after`, and were compared at `upTo`: in between lies what went wrong. */
  readonly after: Readonly<Record<string, Offset>>
  readonly upTo: Readonly<Record<string, Offset>>
}

/** Before a view that is busy is looked at again. */
const BUSY_MS = 5

type HashHost = Pick<Host, "openSql" | "after" | "digest">

/** Hashes the confirmed rows of a view, at rest: rows of a page that is half folded are those of no place. */
export async function hashOf(host: HashHost, view: OpenView): Promise<ViewHash> {
  while (!view.isSettled) await new Promise<void>((resolve) => host.after(BUSY_MS, resolve))
  return hashOfState(host, view.state, view.pending())
}

/** Hashes a copy, in which no row can change between two tables. */
export async function hashOfState(
  host: HashHost,
  state: ViewState,
  pending: Parameters<ViewState["image"]>[0] = [],
): Promise<ViewHash> {
  const { bytes, heads } = state.image(pending)
  const copy = await host.openSql(bytes)
  try {
    return { ...(await stateHash(copy, state.tables, host.digest)), cursor: cursorOf(heads) }
  } finally {
    copy.close()
  }
}

/** @param after Where the rows were last found to be right. */
export function verdictOf(own: ViewHash, other: StateHash, after: ViewHash["cursor"]): Verdict {
  const names = new Set([...Object.keys(own.tables), ...Object.keys(other.tables)])
  const tables = [...names].filter((table) => own.tables[table] !== other.tables[table])
  return { isEqual: own.view === other.view, tables, after, upTo: own.cursor }
}

function cursorOf(heads: ReadonlyMap<StreamPath, Offset>): ViewHash["cursor"] {
  return Object.fromEntries(heads)
}
