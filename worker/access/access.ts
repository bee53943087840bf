import { type AccessVariables, tokenRule } from "./config.ts"
import { isLoopback } from "./hosts.ts"
import { ALL_ORIGINS, decodeOrigins, NO_ORIGINS, type Origins } from "./origins.ts"
import { type TokenBounds, type Verifier, verifierOf } from "./token.ts"

/** All variables that say who may use the edge. */
export type Variables = AccessVariables & { readonly ACCESS?: string; readonly ALLOWED_ORIGINS?: string }

/** Who may use the edge. */
export type Access =
  /** Everybody who reaches it: it is on this machine. */
  | { readonly kind: "open"; readonly origins: Origins }
  | { readonly kind: "tokens"; readonly origins: Origins; readonly verify: Verifier }
  /** Nobody, and why. */
  | { readonly kind: "unconfigured"; readonly origins: Origins; readonly message: string }

const OF_TOKENS = [
  "ACCESS_ISSUER",
  "ACCESS_AUDIENCE",
  "ACCESS_ALGORITHMS",
  "ACCESS_JWKS",
  "ACCESS_JWKS_URL",
] as const

/** The runtime hands the same object to every request. */
const byVariables = new WeakMap<Variables, Access>()

/** The access that was last worked out: keys are imported once, and variables change with a new deployment only. */
let last: { readonly variables: string; readonly access: Access } | undefined

/**
 * Who may use the edge at this host. Open access counts on this machine only, so that it cannot be deployed by
 * accident; where any variable of tokens is set, tokens are asked for.
 */
export function accessOf(variables: Variables, hostname: string, bounds: TokenBounds): Access {
  const access = byVariables.get(variables) ?? configuredAccess(variables, bounds)
  byVariables.set(variables, access)
  if (access.kind !== "open" || isLoopback(hostname)) return access
  const where = `ACCESS=open counts for localhost only, and this is ${hostname}.`
  return unconfigured(`${reasonOf(variables)} ${where}`)
}

function configuredAccess(variables: Variables, bounds: TokenBounds): Access {
  const names = [...OF_TOKENS, "ACCESS", "ALLOWED_ORIGINS"] as const
  const text = JSON.stringify([bounds, ...names.map((name) => variables[name] ?? "")])
  if (last?.variables !== text) last = { variables: text, access: readAccess(variables, bounds) }
  return last.access
}

function readAccess(variables: Variables, bounds: TokenBounds): Access {
  const { ACCESS, ALLOWED_ORIGINS } = variables
  const origins = ALLOWED_ORIGINS ? decodeOrigins(ALLOWED_ORIGINS) : undefined
  if (origins?.ok === false) return unconfigured(origins.reason)
  if (ACCESS && ACCESS !== "open")
    return unconfigured(`ACCESS is open or absent; ${JSON.stringify(ACCESS)} came.`)
  const wantsTokens = OF_TOKENS.some((name) => Boolean(variables[name]))
  if (ACCESS === "open" && !wantsTokens) return { kind: "open", origins: origins?.value ?? ALL_ORIGINS }
  const rule = tokenRule(variables)
  if (!rule.ok) return unconfigured(rule.reason)
  return { kind: "tokens", origins: origins?.value ?? NO_ORIGINS, verify: verifierOf(rule.value, bounds) }
}

function unconfigured(message: string): Access {
  return { kind: "unconfigured", origins: NO_ORIGINS, message }
}

function reasonOf(variables: Variables): string {
  const rule = tokenRule(variables)
  return rule.ok ? "" : rule.reason
}
