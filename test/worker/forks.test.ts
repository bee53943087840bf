import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { expect, test, vi } from "vitest"
import { CLOSE } from "../../shared/frames.ts"
import { LIMITS } from "../../shared/limits.ts"
import { append, ask, create, EdgeSocket, newStream, objectOf, producer } from "./edge-client.ts"

type Headers = Record<string, string>

function fork(
  path: string,
  source: string,
  headers: Headers = {},
  body: BodyInit | null = null,
): Promise<Response> {
  const from = { "stream-forked-from": `/v1/stream/${source}` }
  return ask(path, { method: "PUT", headers: { ...from, ...headers }, body })
}

function nextOf(response: Response): string {
  return response.headers.get("stream-next-offset") ?? ""
}

async function statusOf(path: string): Promise<number> {
  return (await ask(path, { method: "HEAD" })).status
}

async function evictAll(...paths: string[]): Promise<void> {
  for (const path of paths) await evictDurableObject(objectOf(path))
}

/** A chain of three streams, the messages 1 to 4, of which the last two stand in the middle one and the last one. */
async function chain(): Promise<{ root: string; middle: string; leaf: string; offsets: string[] }> {
  const [root, middle, leaf] = [newStream(), newStream(), newStream()]
  const offsets = [nextOf(await create(root)), nextOf(await append(root, "[1,2]"))]
  await append(root, "[9]")
  await fork(middle, root, { "stream-fork-offset": offsets[1] ?? "" })
  offsets.push(nextOf(await append(middle, "[3]")))
  await append(middle, "[8]")
  await fork(leaf, middle, { "stream-fork-offset": offsets[2] ?? "" })
  offsets.push(nextOf(await append(leaf, "[4]")))
  return { root, middle, leaf, offsets }
}

test("[FORK1] a fork reads through all that it descends from, in one page, whoever was thrown out of memory", async () => {
  const { root, middle, leaf, offsets } = await chain()
  await evictAll(root, middle, leaf)
  const page = await ask(leaf)
  expect(await page.text()).toBe("[1,2,3,4]")
  expect(nextOf(page)).toBe(offsets[3])
  expect(page.headers.get("stream-up-to-date")).toBe("true")
  const after = async (path: string, offset = "-1") => (await ask(`${path}?offset=${offset}`)).text()
  expect(await Promise.all(offsets.map((offset) => after(leaf, offset)))).toEqual([
    "[1,2,3,4]",
    "[3,4]",
    "[4]",
    "[]",
  ])
  expect(await after(middle)).toBe("[1,2,3,8]")
  expect(await after(root)).toBe("[1,2,9]")
})

test("[FORK2] offsets up to the fork point are those of the source, and those beyond are of one stream", async () => {
  const { root, middle, leaf, offsets } = await chain()
  const known = [
    [root, [200, 200, 410, 410]],
    [middle, [200, 200, 200, 410]],
    [leaf, [200, 200, 200, 200]],
  ] as const
  for (const [path, statuses] of known) {
    const answers = await Promise.all(offsets.map((offset) => ask(`${path}?offset=${offset}`)))
    expect(answers.map(({ status }) => status)).toEqual(statuses)
  }
  expect(offsets.toSorted()).toEqual(offsets)
})

test("[FORK1] a page that inherits much ends before the piece that would make it too large", async () => {
  const [source, path] = [newStream(), newStream()]
  const half = "x".repeat(LIMITS.appendBytesMax - 1)
  await create(source, "text/plain")
  for (const letter of "ab") await append(source, letter + half, { "content-type": "text/plain" })
  await fork(path, source)
  for (const letter of "cd") await append(path, letter + half, { "content-type": "text/plain" })
  const letters: string[] = []
  for (let offset = "-1"; ; ) {
    const page = await ask(`${path}?offset=${offset}`)
    const body = await page.text()
    expect(body.length).toBeLessThanOrEqual(LIMITS.readBytesMax)
    letters.push(body.replaceAll("x", ""))
    if (page.headers.get("stream-up-to-date") === "true") break
    expect(page.headers.get("cache-control")).toContain("max-age")
    offset = nextOf(page)
  }
  expect(letters).toEqual(["ab", "cd"])
})

test("[FORK1] server-sent events tell what is inherited, then what comes", async () => {
  const { middle, leaf } = await chain()
  const events = await ask(`${leaf}?offset=-1&live=sse`)
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader.read()).value).toContain("data:[1,2,3,4]")
  const pulled = reader.read()
  await append(middle, `"of the source"`)
  await append(leaf, `"of the fork"`)
  expect((await pulled).value).toContain(`data:["of the fork"]`)
  await reader.cancel()
})

test("[FORK4] a socket at what is inherited is behind; from the fork point on it carries the fork", async () => {
  const { leaf, offsets } = await chain()
  for (const offset of ["-1", ...offsets.slice(0, 2)]) {
    const socket = await EdgeSocket.open(leaf, offset)
    expect(await socket.next()).toMatchObject({ t: "behind", next: offset === "-1" ? offsets[0] : offset })
    expect(await socket.next()).toMatchObject({ t: "close", code: CLOSE.behind })
  }
  const socket = await EdgeSocket.open(leaf, offsets[2] ?? "")
  expect(await socket.next()).toMatchObject({ t: "data", from: offsets[2], body: "4", upToDate: true })
  socket.close()
})

test("[FORK3] a sub-offset reaches any message, also one that the source inherits", async () => {
  const { leaf, offsets } = await chain()
  for (let sub = 1; sub <= 4; sub++) {
    const path = newStream()
    const headers = { "content-type": "application/json", "stream-fork-sub-offset": String(sub) }
    const again = await fork(path, leaf, { ...headers, "stream-fork-offset": offsets[0] ?? "" }, "[5]")
    expect(again.status).toBe(201)
    expect(await (await ask(path)).json()).toEqual([...[1, 2, 3, 4].slice(0, sub), 5])
  }
  const beyond = { "stream-fork-offset": "-1", "stream-fork-sub-offset": "5" }
  expect((await fork(newStream(), leaf, beyond)).status).toBe(400)
})

test("[FORK3] a fork inside an append of bytes begins with a copy of its first part", async () => {
  const [source, path, second] = [newStream(), newStream(), newStream()]
  await create(source, "text/plain")
  const bytes = { "content-type": "text/plain" }
  const offset = nextOf(await append(source, "one", bytes))
  await append(source, "three", bytes)
  const at = (sub: number) => ({ "stream-fork-offset": offset, "stream-fork-sub-offset": String(sub) })
  await fork(path, source, { ...bytes, ...at(2) }, "!")
  expect(await (await ask(path)).text()).toBe("oneth!")
  await fork(second, source, at(5))
  expect(await (await ask(second)).text()).toBe("onethree")
  for (const [name, sub, status] of [
    [path, 2, 200],
    [path, 3, 409],
    [second, 5, 200],
  ] as const) {
    expect((await fork(name, source, at(sub))).status).toBe(status)
  }
  expect((await fork(newStream(), source, at(6))).status).toBe(400)
})

test("[FORK7] producers and Stream-Seq begin anew in a fork", async () => {
  const [source, path] = [newStream(), newStream()]
  await create(source)
  await append(source, "1", { ...producer("p", 3, 0), "stream-seq": "b" })
  await fork(path, source)
  expect((await append(path, "2", { ...producer("p", 0, 0), "stream-seq": "a" })).status).toBe(200)
  expect(await (await ask(path)).text()).toBe("[1,2]")
})

test("[FORK8] what is wrong with the creation of a fork is said, and makes nothing", async () => {
  const { root, leaf, offsets } = await chain()
  const stranger = newStream()
  await create(stranger)
  const other = nextOf(await append(stranger, "7"))
  const wrong: [number, string, Headers][] = [
    [404, newStream(), {}],
    [404, "", {}],
    [404, "a/__ds/b", {}],
    [400, `${root}?offset=-1`, {}],
    [400, root, { "stream-fork-offset": "nonsense" }],
    [400, root, { "stream-fork-offset": other }],
    [400, root, { "stream-fork-offset": offsets[3] ?? "" }],
    [400, root, { "stream-fork-offset": "-1", "stream-fork-sub-offset": "1.5" }],
    [400, root, { "stream-fork-offset": "-1", "stream-fork-sub-offset": "99999999" }],
    [400, root, { "stream-fork-offset": "now", "stream-fork-sub-offset": "1" }],
    [400, root, { "stream-ttl": "1", "stream-expires-at": "2099-01-01T00:00:00Z" }],
    [409, root, { "content-type": "text/plain" }],
  ]
  for (const [status, source, headers] of wrong) {
    const path = newStream()
    const response = await fork(path, source, headers)
    expect({ source, headers, status: response.status }).toEqual({ source, headers, status })
    expect(await response.json()).toEqual({ message: expect.stringMatching(/^[A-Z].*\.$/) })
    expect(await statusOf(path)).toBe(404)
  }
  expect((await ask(newStream(), { method: "PUT", headers: { "stream-fork-offset": "-1" } })).status).toBe(
    400,
  )
  expect((await fork(leaf, leaf)).status).toBe(409)
  expect((await create(leaf)).status).toBe(409)
  const references = await runInDurableObject(objectOf(root), (_, { storage }) => [
    ...storage.sql.exec("SELECT path FROM forks"),
  ])
  expect(references).toHaveLength(1)
})

test("[FORK5] a deleted stream with forks answers 410, and keeps its name until the last of them is gone", async () => {
  const { root, middle, leaf } = await chain()
  const socket = await EdgeSocket.open(root, "now")
  await socket.next()
  for (const path of [root, middle]) expect((await ask(path, { method: "DELETE" })).status).toBe(204)
  expect(await socket.next()).toMatchObject({ t: "close", code: CLOSE.gone })
  for (const method of ["GET", "HEAD", "DELETE"]) expect((await ask(root, { method })).status).toBe(410)
  expect((await append(root, "1")).status).toBe(410)
  expect((await create(root)).status).toBe(409)
  expect((await fork(newStream(), root)).status).toBe(409)
  expect(await (await EdgeSocket.open(root, "-1")).next()).toMatchObject({ t: "close", code: CLOSE.gone })
  await evictAll(root, middle, leaf)
  expect(await (await ask(leaf)).text()).toBe("[1,2,3,4]")
  expect((await ask(leaf, { method: "DELETE" })).status).toBe(204)
  await vi.waitFor(async () => expect([await statusOf(middle), await statusOf(root)]).toEqual([404, 404]))
  expect((await create(root)).status).toBe(201)
})

test("[FORK6] a deleted source whose fork is there keeps looking, and goes when it is told by nobody", async () => {
  const [source, path] = [newStream(), newStream()]
  await create(source)
  await fork(path, source)
  await ask(source, { method: "DELETE" })
  expect(await runDurableObjectAlarm(objectOf(source))).toBe(true)
  expect(await statusOf(source)).toBe(410)
  await runInDurableObject(objectOf(path), (_, { storage }) => {
    storage.sql.exec('UPDATE stream SET fork = replace(fork, \'"id":"\', \'"id":"another-\')') // as if it were another
  })
  await evictDurableObject(objectOf(path)) // it remembers what it was
  expect(await runDurableObjectAlarm(objectOf(source))).toBe(true)
  expect(await statusOf(source)).toBe(404)
})
