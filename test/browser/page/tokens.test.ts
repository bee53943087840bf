import { expect, test } from "vitest"
import { z } from "zod"
import { connect, defineStream, defineView, type TokenGiver } from "../../../client/index.ts"

const notes = defineStream({ "note.written": z.object({ text: z.string() }) })
const list = defineView({
  notes: {
    from: notes,
    table: "CREATE TABLE notes (text TEXT NOT NULL) STRICT",
    on: { "note.written": "INSERT INTO notes VALUES (:text)" },
  },
})

const GIVERS: Record<string, TokenGiver> = {
  hangs: () => new Promise(() => {}),
  rejects: () => Promise.reject(new Error("signed out")),
  throws() {
    throw new Error("signed out")
  },
}

test.each(Object.keys(GIVERS))(
  "[CONN9] an app whose token() %s appends, reads and closes as ever",
  async (how) => {
    const token = GIVERS[how]!
    const client = await connect({ edge: "http://127.0.0.1:9", account: crypto.randomUUID(), token })
    const view = await client.view(list, { notes: "tests/notes" })
    const stream = client.stream(notes, "tests/notes")
    const seen: unknown[] = []
    view.live("SELECT text FROM notes", [], (rows) => seen.push(rows))
    for (const text of ["a", "b"]) await stream.append("note.written", { text })
    expect(await view.query("SELECT text FROM notes")).toEqual([{ text: "a" }, { text: "b" }])
    await expect.poll(() => seen.at(-1)).toEqual([{ text: "a" }, { text: "b" }])
    const connection = () => client.status.streams["tests/notes"]
    await expect.poll(() => connection()?.pending).toBe(2)
    if (how !== "hangs") await expect.poll(() => connection()?.lastError?.code).toBe("unauthorized")
    await client.close()
  },
)
