import { createServer, type Server } from "node:http"
import { afterEach, expect, test } from "vitest"
import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { tokenRule } from "../../worker/access/config.ts"
import { type Verifier, verifierOf } from "../../worker/access/token.ts"
import { newIssuer } from "../support/issuer.ts"

const issuer = await newIssuer()
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** Keys at an address of this machine, and how often they were asked for. */
async function keysAt(answer: () => { status: number; body: string }) {
  const seen = { count: 0, url: "" }
  const server = createServer((_, response) => {
    seen.count++
    const { status, body } = answer()
    response.writeHead(status, { "content-type": "application/json" }).end(body)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  seen.url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/keys`
  return seen
}

function verifier(url: string): Verifier {
  const { ACCESS_JWKS: _, ...vars } = issuer.vars
  const rule = tokenRule({ ...vars, ACCESS_JWKS_URL: url })
  if (!rule.ok) throw new Error(rule.reason)
  return verifierOf(rule.value, LIMITS)
}

const now = () => Date.now() as Millis

test("[ACCESS1] keys come from an address, once, and not again for each kid that nobody knows", async () => {
  const keys = await keysAt(() => ({ status: 200, body: issuer.vars.ACCESS_JWKS }))
  const verify = verifier(keys.url)
  expect(await verify(await issuer.token("ada"), now())).toMatchObject({ kind: "known" })
  for (let n = 0; n < 20; n++) {
    const token = await issuer.sign({ sub: "eve" }, { kid: `unknown ${n}` })
    expect(await verify(token, now())).toMatchObject({ kind: "refused" })
  }
  expect(await verify(await issuer.token("ada"), now())).toMatchObject({ kind: "known" })
  expect(keys.count).toBe(1)
})

test("[ACCESS1] keys that do not come are no fault of the token", async () => {
  let status = 500
  const keys = await keysAt(() => ({ status, body: status === 500 ? "{}" : issuer.vars.ACCESS_JWKS }))
  const verify = verifier(keys.url)
  const token = await issuer.token("ada")
  expect(await verify(token, now())).toMatchObject({ kind: "unavailable" })
  status = 200
  expect(await verify(token, now())).toMatchObject({ kind: "known" })
})

test("[ACCESS1] an address that sends secrets gives no key to sign with", async () => {
  const keys = await keysAt(() => ({ status: 200, body: issuer.withSecret.ACCESS_JWKS }))
  const verify = verifier(keys.url)
  const header = { alg: "HS256", kid: "s" }
  const parts = [header, { sub: "eve" }].map((part) => btoa(JSON.stringify(part)).replaceAll("=", ""))
  expect(await verify(`${parts.join(".")}.AAAA`, now())).toMatchObject({ kind: "refused" })
})
