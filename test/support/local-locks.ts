import type { Host } from "../../client/host.ts"

/** Locks of one browser without the browser: one holder for each name, the others wait in order. */
export function localLocks(): Pick<Host, "lock"> {
  const tails = new Map<string, Promise<void>>()
  return {
    lock(name, { signal }, held) {
      const before = tails.get(name) ?? Promise.resolve()
      const turn = before.then(() => (signal.aborted ? undefined : held(new AbortController().signal)))
      tails.set(name, turn)
    },
  }
}
