import { env } from "cloudflare:workers"
import { expect, test } from "vitest"
import { app } from "../../worker/http/app.ts"
import { issuer, request } from "./access/edge.ts"
import { ask, create, newStream, ORIGIN } from "./edge-client.ts"

function marksOf({ headers }: Response): unknown {
  const exposed = headers.get("access-control-expose-headers")?.split(", ") ?? []
  return [headers.get("headwater-edge"), exposed.includes("headwater-edge")]
}

const MARKED = ["1", true]

test("[EDGE14] what succeeds carries the mark: pages, tails, what has not changed, what is made and removed", async () => {
  const path = newStream()
  const made = await create(path, "application/json", { body: "[1]" })
  const read = await ask(path)
  const tag = { "if-none-match": read.headers.get("etag")! }
  const answers = [
    made,
    read,
    await ask(path, { method: "HEAD" }),
    await ask(path, { headers: tag }),
    await ask(`${path}?offset=now&live=long-poll`, { headers: { prefer: "wait=0" } }),
    await ask(`${path}?segments=true`),
    await ask(path, { method: "POST", body: "[2]", headers: { "content-type": "application/json" } }),
    await ask(path, { method: "DELETE" }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 304, 204, 200, 204, 204])
  expect(answers.map(marksOf)).toEqual(answers.map(() => MARKED))
})

test("[EDGE14] what is refused carries it as well, whoever refuses it", async () => {
  const path = newStream()
  const outside = (address: string, init: RequestInit = {}) => app.fetch(new Request(address, init), env)
  const open = { ...env, ACCESS: undefined } as unknown as typeof env // nobody has said who may do what
  const answers = [
    await ask(path),
    await ask(path, { method: "PROPFIND" }),
    await ask(`${path}?live=sideways&offset=-1`),
    await ask(`${path}?live=ws&offset=-1`),
    await ask("__ds"),
    await outside(`${ORIGIN}/elsewhere`),
    await outside(`${ORIGIN}/health`),
    await outside(`${ORIGIN}/v1/stream/${path}`, { method: "OPTIONS" }),
    await app.fetch(new Request(`${ORIGIN}/v1/stream/${path}`), open),
    await request(`/v1/stream/${path}`),
    await request(`/v1/ticket/${path}`, { method: "POST" }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([404, 405, 400, 426, 404, 404, 200, 204, 503, 401, 401])
  expect(answers.map(({ headers }) => headers.get("headwater-edge"))).toEqual(answers.map(() => "1"))
})

test("[EDGE14] a page of a listed origin can read the mark", async () => {
  const origin = "https://app.example"
  const vars = { ...issuer.vars, ALLOWED_ORIGINS: origin }
  const answer = await request(`/v1/stream/${newStream()}`, { headers: { origin } }, vars)
  expect([answer.status, marksOf(answer)]).toEqual([401, MARKED])
})
