import { exportJWK } from "jose"
import { expect, test } from "vitest"
import { VERSION } from "../../../shared/version.ts"
import { bearer, issuer, request, type Vars } from "./edge.ts"

const { vars } = issuer
const without = (name: string): Vars =>
  Object.fromEntries(Object.entries(vars).filter(([other]) => other !== name))
const secretKey = await exportJWK(issuer.ec.privateKey)

const UNCONFIGURED: [string, Vars, RegExp][] = [
  ["nothing", {}, /ACCESS_ISSUER, ACCESS_AUDIENCE, ACCESS_ALGORITHMS, ACCESS_JWKS or ACCESS_JWKS_URL/],
  ["open access on another host", { ACCESS: "open" }, /localhost only.*edge\.example/],
  ["another word for open", { ACCESS: "yes" }, /ACCESS is open or absent; "yes" came/],
  ["no issuer", without("ACCESS_ISSUER"), /ACCESS_ISSUER/],
  ["no audience", without("ACCESS_AUDIENCE"), /ACCESS_AUDIENCE/],
  ["no algorithms", without("ACCESS_ALGORITHMS"), /ACCESS_ALGORITHMS/],
  ["no keys", without("ACCESS_JWKS"), /ACCESS_JWKS or ACCESS_JWKS_URL/],
  ["keys missing beside open", { ...without("ACCESS_JWKS"), ACCESS: "open" }, /ACCESS_JWKS or/],
  ["the algorithm none", { ...vars, ACCESS_ALGORITHMS: "ES256,none" }, /"none" came/],
  ["an algorithm in other letters", { ...vars, ACCESS_ALGORITHMS: "es256" }, /"es256" came/],
  ["HS512", { ...vars, ACCESS_ALGORITHMS: "HS512" }, /"HS512" came/],
  ["keys that are no JSON", { ...vars, ACCESS_JWKS: "{" }, /JSON Web Key Set/],
  ["an empty set of keys", { ...vars, ACCESS_JWKS: `{"keys":[]}` }, /one key at least/],
  ["a private key", { ...vars, ACCESS_JWKS: JSON.stringify({ keys: [secretKey] }) }, /a private key came/],
  [
    "a secret that is not listed",
    { ...issuer.withSecret, ACCESS_ALGORITHMS: "ES256" },
    /does not list HS256/,
  ],
  [
    "a secret that is short",
    { ...vars, ACCESS_ALGORITHMS: "HS256", ACCESS_JWKS: `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}` },
    /32 bytes at least/,
  ],
  ["keys over http", { ...without("ACCESS_JWKS"), ACCESS_JWKS_URL: "http://keys.example/" }, /https address/],
  ["keys at no address", { ...without("ACCESS_JWKS"), ACCESS_JWKS_URL: "keys" }, /https address/],
  [
    "secrets at an address",
    { ...without("ACCESS_JWKS"), ACCESS_ALGORITHMS: "HS256", ACCESS_JWKS_URL: "https://keys.example/" },
    /not at an address/,
  ],
  ["an origin with a path", { ...vars, ALLOWED_ORIGINS: "https://app.example/" }, /ALLOWED_ORIGINS/],
  ["the origin null", { ...vars, ALLOWED_ORIGINS: "null" }, /ALLOWED_ORIGINS/],
]

test.each(UNCONFIGURED)(
  "[ACCESS10] with %s everything is answered 503 and says why",
  async (_, given, why) => {
    const headers = bearer(await issuer.token("ada"))
    for (const [method, address] of [
      ["GET", "/v1/stream/a"],
      ["PUT", "/v1/stream/a"],
      ["POST", "/v1/ticket/a"],
      ["OPTIONS", "/v1/stream/a"],
      ["GET", "/anything"],
    ] as const) {
      const answer = await request(address, { method, headers }, given)
      expect(answer.status).toBe(503)
      expect(((await answer.json()) as { message: string }).message).toMatch(why)
    }
    const health = await request("/health", {}, given)
    expect(health.status).toBe(503)
    expect(await health.json()).toEqual({
      status: "unconfigured",
      version: VERSION,
      message: expect.stringMatching(why),
    })
  },
)

test("[ACCESS10] health is well when tokens are asked for", async () => {
  const health = await request("/health")
  expect([health.status, await health.json()]).toEqual([200, { status: "ok", version: VERSION }])
})

test.each(["localhost", "127.0.0.1", "127.8.9.1", "[::1]", "2130706433", "LOCALHOST"])(
  "[ACCESS10] access is open at %s when it is said to be",
  async (host) => {
    const answer = await request(`http://${host}:8787/v1/stream/none`, {}, { ACCESS: "open" })
    expect(answer.status).toBe(404)
    expect((await request(`http://${host}:8787/v1/stream/none`, {}, {})).status).toBe(503)
    expect(
      (await request(`http://${host}:8787/v1/stream/none`, {}, { ...vars, ACCESS: "open" })).status,
    ).toBe(401)
  },
)

test.each(["127.0.0.1.evil.example", "localhost.evil.example", "0.0.0.0", "[::]", "10.0.0.1", "127.evil"])(
  "[ACCESS10] access is not open at %s, whatever is said",
  async (host) => {
    expect((await request(`http://${host}/v1/stream/none`, {}, { ACCESS: "open" })).status).toBe(503)
  },
)
