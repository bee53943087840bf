import type { Host } from "../host.ts"

/**
 * Resolves when this thread alone in the browser holds the lock, which it keeps until `until` is aborted; or when it
 * is aborted before.
 */
export function holdLock(host: Pick<Host, "lock">, name: string, until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (until.aborted) return resolve()
    until.addEventListener("abort", () => resolve(), { once: true })
    host.lock(name, { signal: until, steal: false }, () => {
      resolve()
      return aborted(until)
    })
  })
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
}
