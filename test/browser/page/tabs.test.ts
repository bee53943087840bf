import { describe, expect, test } from "vitest"
import { z } from "zod"
import { type Client, connect, defineStream, defineView } from "../../../client/index.ts"

const notes = defineStream({ "note.made": z.object({ text: z.string() }) })
const list = defineView({
  notes: {
    from: notes,
    table: "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT",
    on: { "note.made": "INSERT INTO notes VALUES (:event_id, :text)" },
  },
})

/** Each client has a thread of its own, so two of one account are to each other what two tabs are. */
async function openTab(account: string) {
  const client = await connect({ edge: "http://127.0.0.1:9", account })
  const view = await client.view(list, { notes: "notes" })
  const seen: string[][] = []
  view.live("SELECT text FROM notes ORDER BY rowid", [], (rows) =>
    seen.push(rows.map(({ text }) => String(text))),
  )
  const stream = client.stream(notes, "notes")
  return { client, seen, stream, make: (text: string) => stream.append("note.made", { text }) }
}

const roles = (...clients: Client[]) => clients.map(({ status }) => status.role).sort()

describe("tabs of one account", () => {
  test("[TAB1] an append in either shows in the other, in one order for both", async () => {
    const account = crypto.randomUUID()
    const [one, two] = [await openTab(account), await openTab(account)]
    await one.make("from one")
    await two.make("from two")
    await one.make("from one again")
    const all = ["from one", "from two", "from one again"]
    await expect.poll(() => one.seen.at(-1)).toEqual(all)
    await expect.poll(() => two.seen.at(-1)).toEqual(all)
    expect(await two.stream.pending()).toHaveLength(3)
    await Promise.all([one.client.close(), two.client.close()])
  })

  test("[TAB1] appends of both at the same time are each there once, in the same order everywhere", async () => {
    const account = crypto.randomUUID()
    const tabs = [await openTab(account), await openTab(account), await openTab(account)]
    const texts = Array.from({ length: 40 }, (_, n) => String(n))
    await Promise.all(tabs.flatMap(({ make }, tab) => texts.map((text) => make(`${tab}:${text}`))))
    const [one, two, three] = tabs
    await expect.poll(() => one?.seen.at(-1)).toHaveLength(120)
    await expect.poll(() => two?.seen.at(-1)).toEqual(one?.seen.at(-1))
    await expect.poll(() => three?.seen.at(-1)).toEqual(one?.seen.at(-1))
    expect(new Set(one?.seen.at(-1)).size).toBe(120)
    for (const tab of [0, 1, 2]) {
      const own = one?.seen.at(-1)?.filter((text) => text.startsWith(`${tab}:`))
      expect(own).toEqual(texts.map((text) => `${tab}:${text}`))
    }
    await Promise.all(tabs.map(({ client }) => client.close()))
  })

  test("[TAB2] one leads; when it closes another does", async () => {
    const account = crypto.randomUUID()
    const [one, two] = [await openTab(account), await openTab(account)]
    await expect.poll(() => roles(one.client, two.client)).toEqual(["follower", "leader"])
    const [leader, follower] = one.client.status.role === "leader" ? [one, two] : [two, one]
    await leader.client.close()
    await expect.poll(() => follower.client.status.role).toBe("leader")
    await follower.make("after")
    await expect.poll(() => follower.seen.at(-1)).toEqual(["after"])
    await follower.client.close()
  })

  test("[TAB3] who leaves the network leaves it in all tabs", async () => {
    const account = crypto.randomUUID()
    const [one, two] = [await openTab(account), await openTab(account)]
    await two.client.pause()
    await expect.poll(() => one.client.status.paused && two.client.status.paused).toBe(true)
    await one.client.resume()
    await expect.poll(() => one.client.status.paused || two.client.status.paused).toBe(false)
    await Promise.all([one.client.close(), two.client.close()])
  })
})
