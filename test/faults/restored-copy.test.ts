import { cp, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { edgeFrames } from "../support/edge-frames.ts"

/*
 * An edge whose state is an older copy has forgotten what it acknowledged. Nobody can bring that back, but a reader who
 * has seen it must hear that its place is gone, and not be told other events as if they came next.
 */

const PATIENCE_MS = 60_000

let folder = ""
let edge: TestEdge

const state = () => join(folder, "state")
const copy = () => join(folder, "copy")
const urlOf = (name: string) => `${edge.url}/v1/stream/restored/${name}`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "headwater-restored-"))
  edge = await startEdge({ state: state() })
}, PATIENCE_MS)

afterAll(async () => {
  await edge.stop()
  await rm(folder, { recursive: true, force: true })
})

async function stopped(work: () => Promise<void>): Promise<void> {
  await edge.stop()
  await work()
  edge = await startEdge({ state: state() })
}

const keepCopy = () => stopped(() => cp(state(), copy(), { recursive: true }))

const restoreCopy = () =>
  stopped(async () => {
    await rm(state(), { recursive: true })
    await cp(copy(), state(), { recursive: true })
  })

async function append(name: string, ...messages: unknown[]): Promise<string> {
  const headers = { "content-type": "application/json" }
  const answer = await fetch(urlOf(name), { method: "POST", headers, body: JSON.stringify(messages) })
  expect(answer.status).toBe(204)
  return answer.headers.get("stream-next-offset")!
}

/** What readers of every kind are told at an offset: the status, or the code of the close. */
async function toldAt(name: string, offset: string): Promise<readonly number[]> {
  const statuses: number[] = []
  for (const live of ["", "&live=long-poll", "&live=sse"]) {
    const answer = await fetch(`${urlOf(name)}?offset=${offset}${live}`)
    await answer.body?.cancel()
    statuses.push(answer.status)
  }
  const first = await edgeFrames(urlOf(name), offset, AbortSignal.timeout(PATIENCE_MS)).next()
  return [...statuses, typeof first.value === "number" ? first.value : 0]
}

/** Told that the place is gone, in whatever way: never given anything. */
function expectGone(told: readonly number[]): void {
  for (const status of told.slice(0, -1)) expect([400, 410]).toContain(status)
  expect(told.at(-1)).toBe(4410)
}

test("[EDGE4] a reader ahead of a restored edge is told so, and one that is not reads on", {
  timeout: PATIENCE_MS,
}, async () => {
  await fetch(urlOf("ahead"), { method: "PUT", headers: { "content-type": "application/json" } })
  const kept = await append("ahead", "kept")
  await keepCopy()
  const lost = await append("ahead", "lost")
  await restoreCopy()
  expectGone(await toldAt("ahead", lost))
  const answer = await fetch(`${urlOf("ahead")}?offset=${kept}`)
  expect([answer.status, await answer.json()]).toEqual([200, []])
  expect(await (await fetch(urlOf("ahead"))).json()).toEqual(["kept"])
})

test("[EDGE4] a reader ahead of a restored edge is told so also when others have appended past its place since", {
  timeout: PATIENCE_MS,
}, async () => {
  await fetch(urlOf("overtaken"), { method: "PUT", headers: { "content-type": "application/json" } })
  const kept = await append("overtaken", "kept")
  await keepCopy()
  const lost = [await append("overtaken", "lost"), await append("overtaken", "lost as well")]
  await restoreCopy()
  const others = [await append("overtaken", "other"), await append("overtaken", "another")]
  await append("overtaken", "third")
  for (const offset of lost) expectGone(await toldAt("overtaken", offset))
  for (const [at, offset] of [kept, ...others].entries()) {
    const answer = await fetch(`${urlOf("overtaken")}?offset=${offset}`)
    expect([answer.status, await answer.json()]).toEqual([200, ["other", "another", "third"].slice(at)])
  }
})
