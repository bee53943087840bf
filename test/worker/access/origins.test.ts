import { expect, test } from "vitest"
import { bearer, issuer, makeStream, request, seen, ticketFor, upgrade, type Vars } from "./edge.ts"

const APP = "https://app.example"
const listed: Vars = { ...issuer.vars, ALLOWED_ORIGINS: `${APP}, http://localhost:5173` }
const all: Vars = { ...issuer.vars, ALLOWED_ORIGINS: "*" }
const PATH = "origins/one"

const STRANGERS = [
  "null",
  "https://evil.example",
  "http://app.example",
  "https://app.example.evil.example",
  "https://app.example:8443",
  "https://app.example/",
  "HTTPS://APP.EXAMPLE",
  "https://APP.example",
  "http://localhost",
  "",
]

async function read(origin: string | undefined, vars: Vars, method = "GET"): Promise<Response> {
  const headers = bearer(await issuer.token("ada"))
  return request(
    `/v1/stream/${PATH}`,
    { method, headers: origin === undefined ? headers : { ...headers, origin } },
    vars,
  )
}

function corsOf(answer: Response): string[] {
  return [...answer.headers.keys()].filter((name) => name.startsWith("access-control-"))
}

test.each(STRANGERS)("[ACCESS5] a page of %j is refused, and can read nothing of it", async (origin) => {
  await makeStream(`${PATH}/${encodeURIComponent(origin)}`)
  for (const vars of [listed, issuer.vars]) {
    for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE"]) {
      const answer = await read(origin, vars, method)
      expect([answer.status, corsOf(answer)]).toEqual([403, []])
      expect(answer.headers.get("vary")).toMatch(/\bOrigin\b/)
    }
    const preflight = await request(`/v1/stream/${PATH}`, { method: "OPTIONS", headers: { origin } }, vars)
    expect([preflight.status, corsOf(preflight)]).toEqual([204, []])
  }
})

test.each([APP, "http://localhost:5173"])(
  "[ACCESS5] a page of %s, which is listed, may go on",
  async (origin) => {
    const answers = [
      await read(origin, listed),
      await request(`/v1/stream/${PATH}`, { headers: { origin } }, listed),
      await request(`/v1/stream/${PATH}`, { method: "OPTIONS", headers: { origin } }, listed),
    ]
    expect(answers.map(({ status }) => status)).toEqual([404, 401, 204])
    for (const { headers } of answers) {
      expect(headers.get("access-control-allow-origin")).toBe(origin)
      expect(headers.get("access-control-allow-credentials")).toBe(null)
      expect(headers.get("vary")).toMatch(/\bOrigin\b/)
    }
    expect(answers[2]?.headers.get("access-control-allow-headers")).toContain("authorization")
  },
)

test("[ACCESS5] who sends no Origin is no page of a browser", async () => {
  for (const vars of [listed, issuer.vars, all]) {
    const answer = await read(undefined, vars)
    expect(answer.status).toBe(404)
    if (vars !== all) expect(answer.headers.get("vary")).toMatch(/\bOrigin\b/)
  }
})

test("[ACCESS5] with * pages of all origins may go on, and no answer depends on the origin", async () => {
  for (const origin of ["null", "https://any.example"]) {
    const answer = await read(origin, all)
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([404, "*"])
  }
})

test("[ACCESS5] an open edge may have a list as well; without one it is for all", async () => {
  const at = (origin: string, vars: Vars) =>
    request("http://localhost/v1/stream/none", { headers: { origin } }, { ACCESS: "open", ...vars })
  expect((await at(APP, {})).headers.get("access-control-allow-origin")).toBe("*")
  expect((await at(APP, { ALLOWED_ORIGINS: APP })).headers.get("access-control-allow-origin")).toBe(APP)
  expect((await at("https://evil.example", { ALLOWED_ORIGINS: APP })).status).toBe(403)
})

test("[ACCESS5] a socket of a page that is not listed is refused before it opens, ticket or not", async () => {
  await makeStream(PATH)
  const token = await issuer.token("ada")
  for (const origin of STRANGERS) {
    const ticket = await ticketFor(PATH, token)
    const answer = await upgrade(PATH, { ticket, origin })
    expect([answer.status, answer.webSocket]).toEqual([403, null])
    expect(await seen(await upgrade(PATH, { token, origin }))).toMatchObject({ status: 403 })
  }
})
