import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { Clock } from "../clock.ts"

/**
 * What the browser's storage is asked for may be blocked for ever by another tab.
 *
 * @throws HeadwaterError `storage-unavailable` when it has not answered within `COMMON_LIMITS.storageOpenMsMax`.
 */
export async function withinBound<T>(asked: Promise<T>, clock: Clock, complaint: string): Promise<T> {
  const ms = COMMON_LIMITS.storageOpenMsMax
  let stopTimer = () => {}
  const late = new Promise<never>((_, reject) => {
    const message = `${complaint} within ${ms} ms. Another tab may hold it.`
    stopTimer = clock.after(ms, () => reject(new HeadwaterError("storage-unavailable", message)))
  })
  try {
    return await Promise.race([asked, late])
  } finally {
    stopTimer()
  }
}
