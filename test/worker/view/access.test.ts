import { expect, test } from "vitest"
import { bearer, issuer, makeStream, request } from "../access/edge.ts"
import { newStream } from "../edge-client.ts"
import { newView, ORDERS } from "./view-client.ts"

async function asked(
  grants: Record<string, string[]> | undefined,
  address: string,
  method: string,
  body?: object,
): Promise<number> {
  const headers = grants === undefined ? {} : bearer(await issuer.token("ada", grants))
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
  return (await request(`/v1/view/${address}`, init)).status
}

test("[EVIEW2] defining takes manage on the view's name, and read on all that its streams may be", async () => {
  const [name, stream] = [newView(), newStream()]
  await makeStream(stream)
  const claim = (streams: string) => ({ view: ORDERS, streams: { orders: streams } })
  const put = (grants: Record<string, string[]> | undefined, streams: string) =>
    asked(grants, name, "PUT", claim(streams))
  expect(await put(undefined, stream)).toBe(401)
  expect(await put({ [name]: ["read"], [stream]: ["read"] }, stream)).toBe(404)
  expect(await put({ [name]: ["manage"], [stream]: ["append", "manage"] }, stream)).toBe(403)
  expect(await put({ [name]: ["manage"], "test/*": ["read"] }, "test/**")).toBe(403)
  expect(await put({ [name]: ["manage"], "test/a": ["read"] }, "test/*")).toBe(403)
  expect(await put({ [name]: ["manage"], [stream]: ["read"] }, stream)).toBe(201)
})

test("[EVIEW2] reading takes read on the view's name, and nothing of its streams", async () => {
  const [name, stream] = [newView(), newStream()]
  await makeStream(stream)
  const all = { "**": ["read", "append", "manage"] }
  expect(await asked(all, name, "PUT", { view: ORDERS, streams: { orders: stream } })).toBe(201)
  const reader = { [name]: ["read"] }
  await expect.poll(() => asked(reader, `${name}/query`, "POST", { sql: "SELECT 1" })).toBe(200)
  expect(await asked(reader, name, "GET")).toBe(200)
  expect(await asked(reader, `${name}/hash`, "GET")).toBe(200)
  const others: [string, string, object?][] = [
    [name, "DELETE"],
    [`${name}/rebuild`, "POST", {}],
    [`${name}/skip`, "POST", { source: "orders", stream, event: "x" }],
    [name, "PUT", { view: ORDERS, streams: { orders: stream } }],
  ]
  for (const [address, method, body] of others) expect(await asked(reader, address, method, body)).toBe(404)
  const stranger = { [stream]: ["read", "append", "manage"] }
  for (const [address, method, body] of [...others, [name, "GET"], [`${name}/hash`, "GET"]] as typeof others)
    expect(await asked(stranger, address, method, body)).toBe(404)
  expect(await asked(stranger, `${name}/query`, "POST", { sql: "SELECT 1" })).toBe(404)
  expect(await asked(undefined, `${name}/query`, "POST", { sql: "SELECT 1" })).toBe(401)
  expect(await asked({ [name]: ["manage"] }, name, "DELETE")).toBe(204)
})

test("[EVIEW1] an edge that lacks what views need says so", async () => {
  const answer = await request("/v1/view/x", {}, { ...issuer.vars, FOLDS: undefined as unknown as string })
  expect(answer.status).toBe(501)
})
