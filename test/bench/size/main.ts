import { connect, defineStream, defineView } from "../../../client/index.ts"

/** An app that uses everything a page imports, with a schema of its own, so that no validator is counted. */
const anything = {
  "~standard": { version: 1, vendor: "bench", validate: (value: unknown) => ({ value }) },
} as const
const notes = defineStream({ "note.written": anything })
const board = defineView({
  notes: {
    from: notes,
    table: "CREATE TABLE notes (text TEXT)",
    on: { "note.written": "INSERT INTO notes VALUES (:text)" },
  },
})

const client = await connect({ edge: location.origin })
const view = await client.view(board, { notes: "notes" })
view.live("SELECT text FROM notes", [], (rows) => document.body.append(JSON.stringify(rows)))
await client.stream(notes, "notes").append("note.written", { text: "hello" })
