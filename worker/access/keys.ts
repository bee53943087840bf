import {
  type CryptoKey,
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  importJWK,
  type JWK,
  type JWTHeaderParameters,
  type JWTVerifyGetKey,
} from "jose"
import { type KeySource, SHARED_SECRET } from "./config.ts"

/** Keys cannot be had now: no fault of the token. */
export class KeysUnavailable extends Error {}

/** Another look for a key that is not known, at most so often: anybody can name keys that there are not. */
const COOLDOWN_MS = 30_000

/** Finds the key that a token's header asks for. A public key is never a secret, nor the other way round. */
export function keyFinder(source: KeySource): JWTVerifyGetKey {
  if (source.kind === "address") return remoteFinder(source.url)
  const secrets = source.keys.filter(({ kty }) => kty === "oct")
  const publicKey = createLocalJWKSet({ keys: source.keys.filter(({ kty }) => kty !== "oct") })
  return (header, token) =>
    header.alg === SHARED_SECRET ? secretFor(secrets, header) : publicKey(header, token)
}

async function secretFor(secrets: readonly JWK[], header: JWTHeaderParameters) {
  const fitting = secrets.filter(
    ({ kid, alg }) =>
      (header.kid === undefined || header.kid === kid) && (alg === undefined || alg === SHARED_SECRET),
  )
  const [secret, another] = fitting
  if (secret === undefined) throw new errors.JWKSNoMatchingKey()
  if (another !== undefined) throw new errors.JWKSMultipleMatchingKeys()
  return importJWK(secret, SHARED_SECRET)
}

function remoteFinder(url: URL): JWTVerifyGetKey {
  const find = createRemoteJWKSet(url, { cooldownDuration: COOLDOWN_MS })
  return async (header, token): Promise<CryptoKey> => {
    try {
      return await find(header, token)
    } catch (reason) {
      if (isOfToken(reason)) throw reason
      throw new KeysUnavailable(`The keys at ${url.href} cannot be had now.`, { cause: reason })
    }
  }
}

function isOfToken(reason: unknown): boolean {
  return (
    reason instanceof errors.JWKSNoMatchingKey ||
    reason instanceof errors.JWKSMultipleMatchingKeys ||
    reason instanceof errors.JOSENotSupported
  )
}
