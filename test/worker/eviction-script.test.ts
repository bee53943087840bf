import { evictDurableObject } from "cloudflare:test"
import { expect, test } from "vitest"
import { append, ask, create, EdgeSocket, type Heard, newStream, objectOf, producer } from "./edge-client.ts"

/*
 * One long conversation with one stream, whose object may be thrown out of memory before each step. What is said has
 * to be the same, apart from how offsets are spelled.
 */

type Said = { readonly step: string; readonly heard: unknown }

class Conversation {
  readonly said: Said[] = []
  readonly path = newStream()
  readonly #between: (path: string) => Promise<void>
  readonly #offsets: string[] = []
  readonly #sockets = new Map<string, EdgeSocket>()

  constructor(between: (path: string) => Promise<void>) {
    this.#between = between
  }

  async http(step: string, work: (path: string) => Promise<Response>): Promise<Response> {
    await this.#between(this.path)
    const response = await work(this.path)
    const named = [...response.headers].filter(([name]) =>
      /^(stream|producer)-|^content-type$|^cache/.test(name),
    )
    this.#learn(response.headers.get("stream-next-offset"))
    const text = await response.clone().text()
    this.#say(step, { status: response.status, headers: Object.fromEntries(named), text })
    return response
  }

  async open(name: string, offset: string): Promise<void> {
    await this.#between(this.path)
    this.#sockets.set(name, await EdgeSocket.open(this.path, offset))
    await this.hear(name)
  }

  /** What a socket hears next. */
  async hear(name: string): Promise<void> {
    await this.#between(this.path)
    this.#told(`${name} hears`, await this.#sockets.get(name)!.next())
  }

  async appendOver(name: string, frame: Parameters<EdgeSocket["append"]>[0]): Promise<void> {
    await this.#between(this.path)
    const heard = await this.#sockets.get(name)!.append(frame)
    for (const one of heard) this.#told(`${name} appends`, one)
  }

  #told(step: string, heard: Heard): void {
    if ("from" in heard) this.#learn(heard.from ?? null)
    if ("next" in heard) this.#learn(heard.next)
    if (heard.t === "reply") this.#learn(heard.headers["stream-next-offset"] ?? null)
    this.#say(step, heard)
  }

  #learn(offset: string | null): void {
    if (offset !== null && !this.#offsets.includes(offset)) this.#offsets.push(offset)
  }

  #say(step: string, heard: unknown): void {
    const spelled = this.#offsets.reduce(
      (text, offset, at) => text.replaceAll(offset, `offset ${at}`),
      JSON.stringify(heard),
    )
    this.said.push({ step, heard: JSON.parse(spelled) })
  }
}

async function converse(between: (path: string) => Promise<void>): Promise<readonly Said[]> {
  const talk = new Conversation(between)
  const read = (offset: string) => (path: string) => ask(`${path}?offset=${offset}`)
  const nextOf = (response: Response) => response.headers.get("stream-next-offset")!
  await talk.http("read before there is any", read("-1"))
  const start = nextOf(
    await talk.http("create", (path) => create(path, "application/json", { body: `[{"n":0}]` })),
  )
  await talk.http("create again", (path) => create(path))
  await talk.http("create otherwise", (path) => create(path, "text/plain"))
  await talk.open("reader", "-1")
  await talk.open("writer", "now")
  await talk.http("append", (path) => append(path, `[1,2,{"a":"],["}]`, producer("p", 0, 0)))
  await talk.hear("reader")
  await talk.http("duplicate", (path) => append(path, `[1,2,{"a":"],["}]`, producer("p", 0, 0)))
  await talk.http("gap", (path) => append(path, "9", producer("p", 0, 5)))
  await talk.http("new epoch", (path) => append(path, "3", producer("p", 4, 0)))
  await talk.http("fenced", (path) => append(path, "9", producer("p", 3, 1)))
  await talk.http("stream-seq", (path) => append(path, "4", { "stream-seq": "b" }))
  await talk.http("stale stream-seq", (path) => append(path, "9", { "stream-seq": "a" }))
  for (let n = 0; n < 3; n++) await talk.hear("writer")
  await talk.appendOver("writer", { id: 1, producer: "q", epoch: 0, seq: 0, body: `5,"é😀"` })
  await talk.appendOver("writer", { id: 2, producer: "q", epoch: 0, seq: 0, body: `5,"é😀"` })
  await talk.appendOver("writer", { id: 3, body: "{" })
  for (let n = 0; n < 3; n++) await talk.hear("reader")
  await talk.http("read all", read("-1"))
  await talk.http("read on", read(start))
  await talk.http("read at the tail", read("now"))
  await talk.http("read what is no offset", read("nonsense"))
  await talk.http("ask", (path) => ask(path, { method: "HEAD" }))
  await talk.appendOver("writer", { id: 4, close: true, body: `"last"` })
  await talk.hear("writer")
  for (let n = 0; n < 2; n++) await talk.hear("reader")
  await talk.http("append to the closed one", (path) => append(path, "9"))
  await talk.http("close again", (path) => append(path, "", { "stream-closed": "true" }))
  await talk.http("duplicate of before the close", (path) => append(path, `5,"é😀"`, producer("q", 0, 0)))
  await talk.open("late", "-1")
  await talk.http("delete", (path) => ask(path, { method: "DELETE" }))
  await talk.http("delete again", (path) => ask(path, { method: "DELETE" }))
  await talk.http("read what is deleted", read(start))
  const options = { headers: { "stream-ttl": "3600" }, body: "bytes" }
  await talk.http("create as bytes", (path) => create(path, "application/octet-stream", options))
  await talk.http("read with the offset of the deleted one", read(start))
  await talk.http("append bytes", (path) =>
    append(path, "more", { "content-type": "application/octet-stream" }),
  )
  await talk.http("read the bytes", read("-1"))
  return talk.said
}

/** False when it was out of memory already: a step that only listens does not bring it back. */
async function isEvicted(path: string): Promise<boolean> {
  try {
    await evictDurableObject(objectOf(path))
    return true
  } catch (error) {
    expect(String(error)).toContain("not currently running")
    return false
  }
}

test("[EDGE12] an eviction before every step changes nothing of what is said", async () => {
  const undisturbed = await converse(async () => undefined)
  let evictions = 0
  const disturbed = await converse(async (path) => {
    if (await isEvicted(path)) evictions++
  })
  expect(disturbed).toEqual(undisturbed)
  expect(evictions).toBeGreaterThan(30)
  expect(undisturbed.map(({ step }) => step)).toContain("late hears")
})
