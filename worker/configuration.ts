import { bad, type Decoded } from "../shared/decoded.ts"
import { type Bounds, LIMITS } from "../shared/limits.ts"
import type { Access } from "./access/access.ts"
import { boundsOf } from "./bounds.ts"
import type { Env } from "./env.ts"

const known = new WeakMap<Env, Decoded<Bounds>>()

/** Why the edge takes no requests, as a sentence; undefined when it does. */
export function configurationFault(env: Env, access: Access): string | undefined {
  if (access.kind === "unconfigured") return access.message
  const bounds = configuredBounds(env)
  return bounds.ok ? undefined : bounds.reason
}

/** The bounds that hold. Where the configuration is at fault nobody gets as far as to ask for them. */
export function boundsFor(env: Env): Bounds {
  const bounds = configuredBounds(env)
  return bounds.ok ? bounds.value : LIMITS
}

/** Read once: the runtime hands the same object to every request. */
function configuredBounds(env: Env): Decoded<Bounds> {
  const read = known.get(env) ?? readBounds(env)
  known.set(env, read)
  return read
}

function readBounds(env: Env): Decoded<Bounds> {
  const bounds = boundsOf(env)
  if (!bounds.ok || bounds.value.streamsPerPrincipalMax === 0 || env.PRINCIPALS !== undefined) return bounds
  if (!env.ACCESS_ISSUER) return bounds // nobody is known, so nobody is counted
  return bad(
    "PRINCIPALS is bound to the class PrincipalObject, or STREAMS_PER_PRINCIPAL_MAX is 0; neither is so.",
  )
}
