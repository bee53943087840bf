import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { QueryOptions } from "../../shared/view/query.ts"

/** @throws HeadwaterError `invalid-options`: callers without types pass anything. */
export function queryOptions({ timeoutMs = COMMON_LIMITS.deviceQueryMsDefault }: QueryOptions): QueryOptions {
  const ms: unknown = timeoutMs
  if (typeof ms === "number" && ms >= 1 && ms <= COMMON_LIMITS.deviceQueryMsMax) return { timeoutMs: ms }
  const expected = `query expects timeoutMs to be a number from 1 to ${COMMON_LIMITS.deviceQueryMsMax}`
  throw new HeadwaterError("invalid-options", `${expected}; ${String(ms)} came.`)
}
