import { expect, test, vi } from "vitest"
import { type CallFate, ForkEdge } from "./fork-edge.ts"

const JSON_TYPE = { "content-type": "application/json" }
const DAY_MS = 86_400_000

function forkOf(source: string, more: Record<string, string> = {}): Record<string, string> {
  return { "stream-forked-from": `/v1/stream/${source}`, ...more }
}

async function statusOf(edge: ForkEdge, path: string): Promise<number> {
  return (await edge.ask(path, "HEAD")).status
}

async function textOf(edge: ForkEdge, path: string): Promise<string> {
  return (await edge.ask(path, "GET")).text()
}

async function source(edge: ForkEdge, path = "source"): Promise<void> {
  await edge.ask(path, "PUT", JSON_TYPE, "[1,2,3]")
}

const FAILURES: CallFate[] = ["unreached", "unanswered", "dead before", "dead after"]

test.each(FAILURES)(
  "[FORK6] a creation whose call is %s leaves nothing that keeps the source",
  async (fate) => {
    vi.spyOn(console, "error").mockImplementation(() => undefined)
    const edge = new ForkEdge()
    await source(edge)
    edge.fates = [fate]
    expect((await edge.ask("fork", "PUT", forkOf("source"))).status).toBe(500)
    expect(await statusOf(edge, "fork")).toBe(404)
    await edge.ask("source", "DELETE")
    await edge.pass(DAY_MS)
    expect(await statusOf(edge, "source")).toBe(404)
  },
)

test.each(FAILURES)("[FORK6] a creation that failed and whose undoing is %s does so too", async (fate) => {
  vi.spyOn(console, "error").mockImplementation(() => undefined)
  const edge = new ForkEdge()
  await source(edge)
  edge.fates = ["unanswered", fate]
  expect((await edge.ask("fork", "PUT", forkOf("source"))).status).toBe(500)
  await edge.ask("source", "DELETE")
  expect(await statusOf(edge, "source")).toBe(fate === "unanswered" || fate === "dead after" ? 404 : 410)
  await edge.pass(DAY_MS)
  expect(await statusOf(edge, "source")).toBe(404)
})

test.each(FAILURES)(
  "[FORK6] a fork that is made again after a call that was %s is whole, and keeps its source",
  async (fate) => {
    vi.spyOn(console, "error").mockImplementation(() => undefined)
    const edge = new ForkEdge()
    await source(edge)
    edge.fates = [fate]
    await edge.ask("fork", "PUT", forkOf("source"))
    expect((await edge.ask("fork", "PUT", forkOf("source"), "[4]")).status).toBe(201)
    await edge.ask("source", "DELETE")
    await edge.pass(10 * DAY_MS)
    expect(await statusOf(edge, "source")).toBe(410)
    expect(await textOf(edge, "fork")).toBe("[1,2,3,4]")
  },
)

test.each(FAILURES)("[FORK6] a removal whose telling is %s lets the source go all the same", async (fate) => {
  vi.spyOn(console, "error").mockImplementation(() => undefined)
  const edge = new ForkEdge()
  await source(edge)
  await edge.ask("fork", "PUT", forkOf("source"))
  await edge.ask("leaf", "PUT", forkOf("fork"))
  await edge.ask("source", "DELETE")
  await edge.ask("fork", "DELETE")
  edge.fates = [fate]
  await edge.ask("leaf", "DELETE")
  await edge.pass(DAY_MS)
  for (const path of ["leaf", "fork", "source"]) expect(await statusOf(edge, path)).toBe(404)
})

test("[FORK6] a source that cannot ask its forks keeps what they read", async () => {
  const edge = new ForkEdge()
  await source(edge)
  await edge.ask("fork", "PUT", forkOf("source"))
  await edge.ask("source", "DELETE")
  edge.fates = ["unreached", "unanswered", "dead before", "dead after"]
  await edge.pass(DAY_MS)
  expect(edge.fates).toEqual([])
  expect(await textOf(edge, "fork")).toBe("[1,2,3]")
})

test("[FORK6] a deleted source asks ever more rarely", async () => {
  const edge = new ForkEdge()
  await source(edge)
  await edge.ask("fork", "PUT", forkOf("source"))
  await edge.ask("source", "DELETE")
  edge.calls = 0
  await edge.pass(DAY_MS)
  expect(edge.calls).toBeLessThan(20)
  edge.calls = 0
  await edge.pass(30 * DAY_MS)
  expect(edge.calls).toBeGreaterThan(20)
  expect(edge.calls).toBeLessThan(40)
})

test("[FORK6] whoever deletes a fork and then its source finds both gone", async () => {
  const edge = new ForkEdge()
  await source(edge)
  await edge.ask("fork", "PUT", forkOf("source"))
  await edge.ask("fork", "DELETE")
  await edge.ask("source", "DELETE")
  expect(await statusOf(edge, "source")).toBe(404)
})

test("[FORK6] two creations at a time make one fork and leave one reference", async () => {
  const edge = new ForkEdge()
  await source(edge)
  const both = [edge.ask("fork", "PUT", forkOf("source")), edge.ask("fork", "PUT", forkOf("source"))]
  expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 201])
  await edge.ask("fork", "DELETE")
  await edge.ask("source", "DELETE")
  expect(await statusOf(edge, "source")).toBe(404)
})

test("[FORK6] a fork whose creation is under way keeps a source that is deleted meanwhile", async () => {
  const edge = new ForkEdge()
  await source(edge)
  edge.fates = ["held"]
  const creation = edge.ask("fork", "PUT", forkOf("source"))
  await vi.waitFor(() => expect(edge.held).toBe(1))
  await edge.ask("source", "DELETE")
  await edge.pass(DAY_MS)
  expect(await statusOf(edge, "source")).toBe(410)
  edge.release()
  expect((await creation).status).toBe(201)
  expect(await textOf(edge, "fork")).toBe("[1,2,3]")
})

test("[FORK5] a source whose time is over stays for its forks", async () => {
  const edge = new ForkEdge()
  await edge.ask("source", "PUT", { ...JSON_TYPE, "stream-ttl": "10" }, "[1]")
  await edge.ask("fork", "PUT", forkOf("source", { "stream-expires-at": "2099-01-01T00:00:00Z" }))
  await edge.pass(DAY_MS)
  expect(await statusOf(edge, "source")).toBe(410)
  expect(await textOf(edge, "fork")).toBe("[1]")
})

test("[FORK5] a fork whose time is over lets its source go", async () => {
  const edge = new ForkEdge()
  await source(edge)
  await edge.ask("fork", "PUT", forkOf("source", { "stream-ttl": "10" }))
  await edge.ask("source", "DELETE")
  expect(await statusOf(edge, "source")).toBe(410)
  await edge.pass(DAY_MS)
  expect(await statusOf(edge, "source")).toBe(404)
  expect(await statusOf(edge, "fork")).toBe(404)
})

test("[FORK9] what a source keeps no longer is gone from its forks too, which say where they begin now", async () => {
  const edge = new ForkEdge()
  await edge.ask("source", "PUT", { ...JSON_TYPE, "stream-retention-bytes": "4" }, "[1]")
  for (const n of [2, 3, 4]) await edge.ask("source", "POST", JSON_TYPE, `[${n}]`)
  await edge.ask("fork", "PUT", forkOf("source"), `["own"]`)
  const earliestOf = async () => {
    const answer = await edge.ask("fork", "GET")
    expect(answer.status).toBe(410)
    return answer.headers.get("stream-earliest-offset")!
  }
  for (const n of [1_005, 1_006]) await edge.ask("source", "POST", JSON_TYPE, `[${n}]`)
  await edge.object("source").alarm()
  expect(await (await edge.ask(`fork?offset=${await earliestOf()}`, "GET")).text()).toMatch(/"own"\]$/)
  for (let n = 1_007; n < 1_012; n++) await edge.ask("source", "POST", JSON_TYPE, `[${n}]`)
  await edge.object("source").alarm()
  expect(await (await edge.ask(`fork?offset=${await earliestOf()}`, "GET")).text()).toBe(`["own"]`)
})
