import type { Bounds } from "../../shared/limits.ts"

/** How long a poll without news is held. `applied` when that is because it was asked for. */
export type Hold = { readonly ms: number; readonly applied: boolean }

/** One preference of RFC 7240 among those that commas part, without its parameters. */
const WAIT = /^\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?:;.*)?$/i

/** Reads `Prefer: wait=<seconds>`, up to the longest hold. Whatever else is preferred is passed over. */
export function holdOf(
  prefer: string | undefined,
  { longPollMsDefault, longPollMsMax }: Pick<Bounds, "longPollMsDefault" | "longPollMsMax">,
): Hold {
  for (const preference of prefer?.split(",") ?? []) {
    const seconds = WAIT.exec(preference)?.[1]
    if (seconds !== undefined) return { ms: Math.min(Number(seconds) * 1_000, longPollMsMax), applied: true }
  }
  return { ms: longPollMsDefault, applied: false }
}

/** What the answer says of the preference. */
export function appliedHeaders({ ms, applied }: Hold): Record<string, string> {
  return applied ? { "Preference-Applied": `wait=${ms / 1_000}` } : {}
}
