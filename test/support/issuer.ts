import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose"

export const ISSUER = "https://issuer.example"
export const AUDIENCE = "https://edge.example"

/** Whoever signs tokens: keys of three kinds, the variables that make an edge take them, and tokens. */
export type Issuer = Awaited<ReturnType<typeof newIssuer>>

export const seconds = () => Math.floor(Date.now() / 1000)

/** Every stream of a test, with every right. */
export const ALL_GRANTS = { "**": ["read", "append", "manage"] }

const SECRET = new Uint8Array(32).fill(7)

export async function newIssuer() {
  const extractable = { extractable: true }
  const [ec, rsa, ed] = await Promise.all([
    generateKeyPair("ES256", extractable),
    generateKeyPair("RS256", extractable),
    generateKeyPair("EdDSA", extractable),
  ])
  const keys = [
    { ...(await exportJWK(ec.publicKey)), kid: "ec" },
    { ...(await exportJWK(rsa.publicKey)), kid: "rsa" },
    { ...(await exportJWK(ed.publicKey)), kid: "ed" },
  ]
  const vars = {
    ACCESS_ISSUER: ISSUER,
    ACCESS_AUDIENCE: AUDIENCE,
    ACCESS_ALGORITHMS: "ES256,RS256,EdDSA",
    ACCESS_JWKS: JSON.stringify({ keys }),
  }
  const withSecret = {
    ...vars,
    ACCESS_ALGORITHMS: "ES256, HS256",
    ACCESS_JWKS: JSON.stringify({ keys: [...keys, { kty: "oct", kid: "s", k: base64url(SECRET) }] }),
  }

  /** A token of `sub` with these grants; further claims replace those that it would have. */
  function token(sub: string, grants: object = ALL_GRANTS, claims: JWTPayload = {}): Promise<string> {
    const all = { iss: ISSUER, aud: AUDIENCE, sub, grants, iat: seconds(), exp: seconds() + 600, ...claims }
    return sign(all)
  }

  function sign(claims: JWTPayload, header: object = {}): Promise<string> {
    return new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "ec", ...header }).sign(ec.privateKey)
  }

  const pems = await Promise.all([ec, rsa, ed].map(({ publicKey }) => exportSPKI(publicKey)))
  return { ec, rsa, ed, keys, pems, secret: SECRET, vars, withSecret, token, sign }
}

export function base64url(data: Uint8Array | string): string {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "")
}

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}
