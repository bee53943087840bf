import type { JWK } from "jose"
import { bad, type Decoded, good, isRecord, parseJson } from "../../shared/decoded.ts"
import { isLoopback } from "./hosts.ts"

/** What the edge's variables say of tokens. Each is text, or absent. */
export type AccessVariables = {
  readonly ACCESS_ISSUER?: string
  readonly ACCESS_AUDIENCE?: string
  readonly ACCESS_ALGORITHMS?: string
  readonly ACCESS_JWKS?: string
  readonly ACCESS_JWKS_URL?: string
}

/** Whose tokens count, and by which keys and algorithms. */
export type TokenRule = {
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly string[]
  readonly keys: KeySource
}

export type KeySource =
  | { readonly kind: "keys"; readonly keys: readonly JWK[] }
  | { readonly kind: "address"; readonly url: URL }

/** The one algorithm here whose key is a secret that both sides share. */
export const SHARED_SECRET = "HS256"

const ALGORITHMS: readonly string[] = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
  SHARED_SECRET,
]

/** A secret as long as the hash, RFC 7518, section 3.2: 32 bytes, which are 43 characters of base64url. */
const SECRET_LENGTH_MIN = 43

/** Reads the rule for tokens. The reason it gives is for the operator. */
export function tokenRule(variables: AccessVariables): Decoded<TokenRule> {
  const { ACCESS_ISSUER: issuer, ACCESS_AUDIENCE: audience, ACCESS_ALGORITHMS, ACCESS_JWKS } = variables
  const missing = missingOf(variables)
  if (!issuer || !audience || !ACCESS_ALGORITHMS || missing.length > 0) {
    return bad(`Access is not configured. Missing: ${missing.join(", ")}.`)
  }
  const algorithms = ACCESS_ALGORITHMS.split(",").map((name) => name.trim())
  const unknown = algorithms.find((name) => !ALGORITHMS.includes(name))
  if (unknown !== undefined) {
    return bad(`ACCESS_ALGORITHMS is a list of ${ALGORITHMS.join(", ")}; ${JSON.stringify(unknown)} came.`)
  }
  const keys = ACCESS_JWKS
    ? givenKeys(ACCESS_JWKS, algorithms)
    : keyAddress(variables.ACCESS_JWKS_URL, algorithms)
  return keys.ok ? good({ issuer, audience, algorithms, keys: keys.value }) : keys
}

function missingOf(variables: AccessVariables): string[] {
  const needed = ["ACCESS_ISSUER", "ACCESS_AUDIENCE", "ACCESS_ALGORITHMS"] as const
  const missing: string[] = needed.filter((name) => !variables[name])
  const hasKeys = Boolean(variables.ACCESS_JWKS || variables.ACCESS_JWKS_URL)
  return hasKeys ? missing : [...missing, "ACCESS_JWKS or ACCESS_JWKS_URL"]
}

function givenKeys(text: string, algorithms: readonly string[]): Decoded<KeySource> {
  const parsed = parseJson(text)
  const keys = parsed.ok && isRecord(parsed.value) ? parsed.value.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isRecord)) {
    return bad(
      `ACCESS_JWKS is a JSON Web Key Set, {"keys": [...]}, with one key at least; something else came.`,
    )
  }
  const fault = keys.map((key) => keyFault(key, algorithms)).find((found) => found !== undefined)
  return fault === undefined ? good({ kind: "keys", keys: keys as JWK[] }) : bad(fault) // jose checks the rest
}

function keyFault(key: Record<string, unknown>, algorithms: readonly string[]): string | undefined {
  if (key.kty !== "oct") {
    return key.d === undefined
      ? undefined
      : "ACCESS_JWKS has keys to verify with, which are public; a private key came."
  }
  if (!algorithms.includes(SHARED_SECRET))
    return `ACCESS_JWKS has a shared secret, and ACCESS_ALGORITHMS does not list ${SHARED_SECRET}.`
  if (typeof key.k === "string" && key.k.length >= SECRET_LENGTH_MIN) return undefined
  return `A secret in ACCESS_JWKS has 32 bytes at least, "k" in base64url; a shorter one came.`
}

function keyAddress(text: string | undefined, algorithms: readonly string[]): Decoded<KeySource> {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname))
  if (url === undefined || !isSafe) {
    return bad(`ACCESS_JWKS_URL is an https address, or http on this machine; ${JSON.stringify(text)} came.`)
  }
  if (algorithms.includes(SHARED_SECRET))
    return bad(`${SHARED_SECRET} has a secret for a key: give it in ACCESS_JWKS, not at an address.`)
  return good({ kind: "address", url })
}
