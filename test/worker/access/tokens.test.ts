import { SignJWT } from "jose"
import { expect, test } from "vitest"
import { ALL_GRANTS, AUDIENCE, ISSUER, seconds } from "../../support/issuer.ts"
import { bearer, issuer, makeStream, request, type Vars } from "./edge.ts"
import { forgeries, signText } from "./forgeries.ts"

const PATH = "tokens/one"
const claims = () => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: "ada",
  grants: ALL_GRANTS,
  exp: seconds() + 600,
})

async function statusFor(token: string, vars: Vars = issuer.vars): Promise<number> {
  const answer = await request(`/v1/stream/${PATH}`, { headers: { authorization: `Bearer ${token}` } }, vars)
  await answer.arrayBuffer()
  return answer.status
}

test("[ACCESS1] a token of each listed algorithm is taken, by its kid or as the only one that fits", async () => {
  await makeStream(PATH)
  const { ec, rsa, ed, secret } = issuer
  const signed = (alg: string, kid?: string) =>
    new SignJWT(claims()).setProtectedHeader(kid === undefined ? { alg } : { alg, kid })
  expect(await statusFor(await signed("ES256", "ec").sign(ec.privateKey))).toBe(200)
  expect(await statusFor(await signed("RS256", "rsa").sign(rsa.privateKey))).toBe(200)
  expect(await statusFor(await signed("EdDSA").sign(ed.privateKey))).toBe(200)
  expect(await statusFor(await signed("HS256", "s").sign(secret), issuer.withSecret)).toBe(200)
  expect(await statusFor(await signed("HS256").sign(secret), issuer.withSecret)).toBe(200)
  expect(await statusFor(await signed("HS256", "s").sign(secret))).toBe(401)
  expect(await statusFor(await signed("RS256", "rsa").sign(rsa.privateKey), issuer.withSecret)).toBe(401)
})

test("[ACCESS1] clocks may differ by half a minute, and one audience of several is enough", async () => {
  await makeStream(`${PATH}-2`)
  const taken = [
    { exp: seconds() - 20 },
    { nbf: seconds() + 20 },
    { iat: seconds() + 20 },
    { aud: ["x", AUDIENCE] },
  ]
  for (const other of taken) expect(await statusFor(await issuer.sign({ ...claims(), ...other }))).toBe(200)
})

test("[ACCESS1] of more than 500 forged tokens none is taken, whether secrets are listed or not", async () => {
  await makeStream(`${PATH}-3`, "[1]")
  const forged = await forgeries(issuer)
  const names = new Set(forged.map(([, token]) => token))
  expect(names.size).toBeGreaterThan(500)
  expect(await statusFor(await signText(issuer, JSON.stringify(claims())))).toBe(200) // as forgeries are made
  const accepted: string[] = []
  for (const vars of [issuer.vars, issuer.withSecret]) {
    for (const [what, token] of forged) {
      const answer = await request(`/v1/stream/${PATH}-3`, { headers: header(token) }, vars)
      if (answer.status !== 401) accepted.push(`${what}: ${answer.status} ${await answer.text()}`)
      else expect(answer.headers.get("www-authenticate")).toBe("Bearer")
    }
  }
  expect(accepted).toEqual([])
})

function header(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

test.each(["", "Bearer", "Bearer ", "Basic YTpi", "bearer a b"])(
  "[ACCESS2] Authorization %j is answered 401 in a sentence",
  async (authorization) => {
    const headers: Record<string, string> = authorization === "" ? {} : { authorization }
    for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"]) {
      const answer = await request(`/v1/stream/${PATH}`, { method, headers })
      expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, "Bearer"])
    }
    const answer = await request(`/v1/ticket/${PATH}`, { method: "POST", headers })
    expect(await answer.json()).toEqual({ message: expect.stringMatching(/^[A-Z].*\.$/) })
  },
)

test("[ACCESS2] a token in the address is refused, whatever else is shown", async () => {
  const token = await issuer.token("ada")
  for (const name of ["token", "access_token"]) {
    for (const place of ["stream", "ticket", "revocation"]) {
      const answer = await request(`/v1/${place}/${PATH}?${name}=${token}`, { headers: bearer(token) })
      expect(answer.status).toBe(400)
      expect(await answer.text()).not.toContain(token)
    }
  }
})

test("[CONF1] what a token may say is bounded by the variables of the edge that it comes to", async () => {
  const [one, two] = await Promise.all([
    issuer.token("ada", { [PATH]: ["read"] }),
    issuer.token("ada", { [PATH]: ["read"], "**": ["read"] }),
  ])
  const isTaken = async (token: string, bounds: Vars) =>
    (await statusFor(token, { ...issuer.vars, ...bounds })) !== 401
  expect(await isTaken(one, { PRINCIPAL_LENGTH_MAX: "3", GRANTS_MAX: "1" })).toBe(true)
  expect(await isTaken(one, { PRINCIPAL_LENGTH_MAX: "2" })).toBe(false)
  expect(await isTaken(one, { TOKEN_LENGTH_MAX: "256" })).toBe(false)
  expect(await isTaken(one, { TOKEN_LIFE_MS_MAX: "1000", CLOCK_TOLERANCE_MS: "0" })).toBe(false)
  expect(await isTaken(two, {})).toBe(true)
  expect(await isTaken(two, { GRANTS_MAX: "1" })).toBe(false)
})
