import { describe, expect, test } from "vitest"
import { z } from "zod"
import { connect, defineStream, defineView } from "../../../client/index.ts"

const notes = defineStream({ "note.made": z.object({ text: z.string() }) })
const list = defineView({
  notes: {
    from: notes,
    table: "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT",
    on: { "note.made": "INSERT INTO notes VALUES (:event_id, :text)" },
  },
})

/** Each client has a thread of its own, so two of one account are to each other what two tabs are. */
async function openTab(account: string = crypto.randomUUID()) {
  const client = await connect({ edge: "http://127.0.0.1:9", account })
  const stream = client.stream(notes, "notes")
  const view = await client.view(list, { notes: "notes" })
  const make = (text: string) => stream.append("note.made", { text })
  const texts = async () =>
    (await view.query("SELECT text FROM notes ORDER BY rowid")).map(({ text }) => text)
  return { client, account, stream, make, texts }
}

async function joined(lines: AsyncIterable<string>): Promise<string> {
  let all = ""
  for await (const line of lines) all += line
  return all
}

describe("moving data without a network", () => {
  test("[MOVE3] what waits on one device is exported, imported on another, and the same there", async () => {
    const [one, two] = [await openTab(), await openTab()]
    await Promise.all(Array.from({ length: 500 }, (_, n) => one.make(`note ${n} é`)))
    const text = await joined(one.stream.export({ what: "pending" }))
    expect(await two.stream.import(new Blob([text]))).toEqual({ appended: 500, skipped: 0 })
    expect(await joined(two.stream.export({ what: "pending" }))).toBe(text)
    expect(await two.texts()).toEqual(await one.texts())
    expect(await two.stream.pending()).toEqual(await one.stream.pending())
    await two.make("more")
    expect(await two.stream.import(new Blob([text]).stream())).toEqual({ appended: 0, skipped: 500 })
    expect((await two.texts()).length).toBe(501)
    await Promise.all([one.client.close(), two.client.close()])
  })

  test("[MOVE6] two tabs that import the same at once append each event once, and both show it", async () => {
    const source = await openTab()
    await Promise.all(Array.from({ length: 50 }, (_, n) => source.make(String(n))))
    const text = await joined(source.stream.export({ what: "pending" }))
    const one = await openTab()
    const two = await openTab(one.account)
    const results = await Promise.all([one.stream.import(text), two.stream.import(text)])
    expect(results.reduce((sum, { appended }) => sum + appended, 0)).toBe(50)
    for (const { texts } of [one, two]) await expect.poll(texts).toEqual(await source.texts())
    await Promise.all([source, one, two].map(({ client }) => client.close()))
  })

  test("[READ1] a log of which nothing is confirmed has nothing to read, and nothing to export", async () => {
    const { client, stream, make } = await openTab()
    await make("waits")
    for await (const event of stream.read()) throw new Error(`${event.offset} came.`)
    expect(await joined(stream.export({ what: "log" }))).toBe("")
    await client.close()
  })

  test("[READ4] a reader that waits ends when it is left, and with closed when the client closes", async () => {
    const { client, stream } = await openTab()
    const left = stream.read({ live: true })
    const waiting = left.next()
    await left.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
    const next = stream.read({ live: true, cursor: "c" }).next()
    const lost = expect(next).rejects.toMatchObject({ code: "closed" })
    await client.close()
    await lost
    await expect(stream.read().next()).rejects.toMatchObject({ code: "closed" })
    await expect(stream.import("{}")).rejects.toMatchObject({ code: "closed" })
  })
})
