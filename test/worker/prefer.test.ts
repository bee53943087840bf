import { expect, test } from "vitest"
import { LIMITS } from "../../shared/limits.ts"
import { append, ask, create, newStream } from "./edge-client.ts"

async function poll(
  path: string,
  prefer: string,
  offset = "now",
): Promise<{ response: Response; ms: number }> {
  const begin = Date.now()
  const response = await ask(`${path}?offset=${offset}&live=long-poll`, { headers: { prefer } })
  return { response, ms: Date.now() - begin }
}

test("[HTTP1] a poll is held for as long as it prefers, and the answer says so", async () => {
  const path = newStream()
  await create(path)
  const [none, second, first] = await Promise.all([
    poll(path, "wait=0"),
    poll(path, "wait=1"),
    poll(path, `respond-async, WAIT="1"; odd=yes, wait=20`),
  ])
  expect(none.ms).toBeLessThan(1_000)
  expect(none.response.headers.get("preference-applied")).toBe("wait=0")
  for (const { response, ms } of [second, first]) {
    expect([response.status, response.headers.get("preference-applied")]).toEqual([204, "wait=1"])
    expect(ms).toBeGreaterThanOrEqual(990) // timers of the runtime count from when it last looked at its clock
    expect(ms).toBeLessThan(LIMITS.longPollMsDefault)
  }
})

test("[HTTP1] news end a poll at once, however long it prefers; no hold is longer than the longest", async () => {
  const path = newStream()
  const start = (await create(path)).headers.get("stream-next-offset")!
  const polls = ["wait=29", "wait=999999999"].map((prefer) => poll(path, prefer, start))
  await append(path, `"news"`)
  const [within, beyond] = await Promise.all(polls)
  expect(await within!.response.text()).toBe(`["news"]`)
  expect(within!.response.headers.get("preference-applied")).toBe("wait=29")
  expect(beyond!.response.headers.get("preference-applied")).toBe(`wait=${LIMITS.longPollMsMax / 1_000}`)
})

const NO_WAIT = [
  "wait",
  "wait=",
  "wait=-1",
  "wait=1.5",
  "wait=soon",
  "wait=9999999999",
  "await=1",
  ",;=",
  "respond-async",
]

test.each(NO_WAIT)(
  "[HTTP1] %j is no preference that a poll could follow, and is passed over",
  async (prefer) => {
    const path = newStream()
    await create(path, "application/json", { body: "[1]" })
    const response = await ask(`${path}?offset=-1&live=long-poll`, { headers: { prefer } })
    expect([response.status, response.headers.has("preference-applied")]).toEqual([200, false])
  },
)
