import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { expect, test, vi } from "vitest"
import { append, ask, create, EdgeSocket, newStream, objectOf, producer } from "./edge-client.ts"

test("[EDGE12] sockets outlive the object in memory, and the next event still comes, in order", async () => {
  const path = newStream()
  await create(path)
  const [reader, writer] = await Promise.all([EdgeSocket.open(path, "-1"), EdgeSocket.open(path, "-1")])
  await Promise.all([reader.next(), writer.next()])
  for (let n = 0; n < 5; n++) {
    await evictDurableObject(objectOf(path))
    await append(path, `${n * 2}`)
    await evictDurableObject(objectOf(path))
    const heard = await writer.append({ id: n, producer: "w", epoch: 0, seq: n, body: `${n * 2 + 1}` })
    expect(heard).toMatchObject([
      { t: "data", body: `${n * 2}` },
      { t: "reply", status: 200 },
    ])
    expect(await reader.next()).toMatchObject({ t: "data", body: `${n * 2}` })
    expect(await reader.next()).toMatchObject({ t: "data", body: `${n * 2 + 1}` })
  }
  expect(await (await ask(path)).json()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test("[EDGE12] a producer's mark outlives the object in memory", async () => {
  const path = newStream()
  await create(path)
  expect((await append(path, "1", producer("p", 0, 0))).status).toBe(200)
  await evictDurableObject(objectOf(path))
  expect((await append(path, "1", producer("p", 0, 0))).status).toBe(204)
  expect((await append(path, "2", producer("p", 0, 1))).status).toBe(200)
  expect(await (await ask(path)).json()).toEqual([1, 2])
})

test("[EDGE12] server-sent events and long-polls go on when the object was thrown out of memory", async () => {
  const path = newStream()
  await create(path)
  const poll = ask(`${path}?offset=now&live=long-poll`)
  const events = await ask(`${path}?offset=now&live=sse`)
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader.read()).value).toContain(`"upToDate":true`)
  const pulled = reader.read()
  await vi.waitFor(async () => expect(await socketsOf(path)).toBe(2))
  await evictDurableObject(objectOf(path))
  await append(path, `"news"`)
  expect((await pulled).value).toContain(`data:["news"]`)
  expect(await (await poll).text()).toBe(`["news"]`)
  await reader.cancel()
  await vi.waitFor(async () => expect(await socketsOf(path)).toBe(0))
})

function socketsOf(path: string): Promise<number> {
  return runInDurableObject(objectOf(path), (_, state) => state.getWebSockets().length)
}

test("[EDGE10] the alarm ends a stream whose time is over, and lets a used one live", async () => {
  const [over, used] = [newStream(), newStream()]
  await create(over, "application/json", { headers: { "stream-expires-at": "2020-01-01T00:00:00Z" } })
  await create(used, "application/json", { headers: { "stream-ttl": "3600" } })
  await runDurableObjectAlarm(objectOf(over))
  await runDurableObjectAlarm(objectOf(used))
  expect((await ask(over, { method: "HEAD" })).status).toBe(404)
  expect((await ask(used, { method: "HEAD" })).status).toBe(200)
})
