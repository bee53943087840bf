import { bad, type Decoded, good } from "../../shared/decoded.ts"
import { HEADER } from "../../shared/http.ts"
import type { TermsChange } from "../stream/stream-management.ts"
import { budgetIn, retentionIn } from "./create-headers.ts"

const CHANGEABLE: readonly string[] = [HEADER.retentionAge, HEADER.retentionBytes, HEADER.budget]

/** Removes what it is said of. */
const NONE = "none"

/** Reads what a PATCH asks for. Headers of a stream that cannot be changed are refused, not passed over. */
export function termsChange(headers: Headers): Decoded<TermsChange> {
  const named = [...headers.keys()].filter((name) => /^(stream|producer)-/.test(name))
  const other = named.find((name) => !CHANGEABLE.includes(name))
  const expected = "Stream-Retention-Age, Stream-Retention-Bytes and Stream-Budget of a stream can be changed"
  if (other !== undefined) return bad(`${expected}; ${other} came.`)
  if (named.length === 0) return bad(`${expected}; none of them came.`)
  const retention = retentionIn(withoutNone(headers))
  if (!retention.ok) return retention
  const budget = budgetIn(withoutNone(headers))
  if (!budget.ok) return budget
  const isNone = (name: string) => headers.get(name) === NONE
  return good({
    ...retention.value,
    ...(budget.value !== undefined && { budget: budget.value }),
    ...(isNone(HEADER.retentionAge) && { ageMs: NONE }),
    ...(isNone(HEADER.retentionBytes) && { bytes: NONE }),
    ...(isNone(HEADER.budget) && { budget: NONE }),
  })
}

function withoutNone(headers: Headers): Headers {
  return new Headers([...headers].filter(([, value]) => value !== NONE))
}
