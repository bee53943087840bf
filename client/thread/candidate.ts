import { HeadwaterError } from "../../shared/errors.ts"
import type { Host } from "./host.ts"

/** Before a tab stands again whose turn has ended: the others come first. */
const PAUSE_MS = 1_000

/**
 * Calls `lead` each time this thread alone holds the lock, until `signal` ends it. A turn that fails for want of a disk
 * goes to whoever waits, and this thread comes again: the disk may have room by then.
 */
export function standForLeader(
  host: Pick<Host, "lock" | "after">,
  name: string,
  signal: AbortSignal,
  lead: () => Promise<void>,
  failed: (reason: HeadwaterError) => void,
): void {
  host.lock(name, signal, async () => {
    try {
      await lead()
    } catch (reason) {
      if (signal.aborted) return
      if (!(reason instanceof HeadwaterError)) throw reason
      failed(reason)
    }
    if (signal.aborted) return
    const stopTimer = host.after(PAUSE_MS, () => standForLeader(host, name, signal, lead, failed))
    signal.addEventListener("abort", stopTimer, { once: true })
  })
}
