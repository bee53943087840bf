import { DatabaseSync } from "node:sqlite"
import { expect, test } from "vitest"
import type { Millis } from "../../shared/ids.ts"
import { type Creator, createCounted } from "../../worker/limits/counted-creation.ts"
import { PrincipalStreams } from "../../worker/limits/principal-streams.ts"
import type { SqlRow } from "../../worker/stream/stream-host.ts"

const BOUNDS = { streamsPerPrincipalMax: 5, principalSweepMax: 2, creationMsMax: 10 }
const ADA = "ada"

/** A principal's object, and the streams that there are, by who has created them. */
class World {
  readonly #database = new DatabaseSync(":memory:")
  readonly creators = new Map<string, string>()
  readonly looks: string[] = []
  time = 1_000
  unreachable: string | undefined
  /** Comes after the answer to a look was found, and before it is told. */
  onLook: (path: string) => void = () => undefined
  again: Promise<string> | undefined
  object = this.wake()

  /** The memory of the object goes. */
  wake(): PrincipalStreams {
    this.object = new PrincipalStreams({
      bounds: BOUNDS,
      now: () => this.time as Millis,
      exec: (sql, ...values) => this.#database.prepare(sql).all(...values) as SqlRow[], // plain values
      isThere: async (principal, path) => {
        this.looks.push(path)
        if (path === this.unreachable) throw new Error("It cannot be reached.")
        const isThere = this.creators.get(path) === principal
        this.onLook(path)
        await this.again
        return isThere
      },
    })
    return this.object
  }

  /** What a PUT comes to. `admitted` is over once it may go on from being counted. */
  async put(path: string, admitted: Promise<void> = Promise.resolve()): Promise<string> {
    const object: Creator["object"] = {
      admit: async (principal: string, asked: string) => {
        const admission = await this.object.admit(principal, asked)
        await admitted
        return admission
      },
      forget: async (forgotten: string, made: Millis) => this.object.forget(forgotten, made),
    } as unknown as Creator["object"] // a stub without what no test asks of it
    let isNew = false
    const outcome = await createCounted({
      path,
      creator: { principal: ADA, object },
      isThere: async () => this.creators.has(path),
      creatorOfStream: async () => this.creators.get(path),
      create: async () => {
        isNew = !this.creators.has(path)
        if (isNew) this.creators.set(path, ADA)
        return { kind: "stream", isNew } as never // all that is asked of an outcome
      },
    })
    return outcome.kind === "too-many" ? outcome.kind : isNew ? "new" : "there"
  }

  async full(): Promise<this> {
    for (let n = 1; n <= BOUNDS.streamsPerPrincipalMax; n++) expect(await this.put(`s${n}`)).toBe("new")
    this.time += BOUNDS.creationMsMax
    return this
  }
}

test("[LIMIT6] a principal makes as many streams as they may have, and no more", async () => {
  const world = await new World().full()
  expect(await world.put("s6")).toBe("too-many")
  expect(await world.put("s1")).toBe("there")
  world.wake()
  expect(await world.put("s6")).toBe("too-many")
})

test("[LIMIT6] a stream that is deleted makes room, at the latest when all were looked at", async () => {
  const world = await new World().full()
  world.creators.delete("s4")
  const answers = []
  for (let attempt = 0; attempt < 3; attempt++) answers.push(await world.put("s6"))
  expect(answers).toContain("new")
  expect(new Set(world.looks).size).toBe(world.looks.length) // none twice before all of them once
  expect(await world.put("s7")).toBe("too-many")
})

test("[LIMIT6] a stream that somebody else has made since is no longer one's own", async () => {
  const world = await new World().full()
  for (let n = 1; n <= 5; n++) world.creators.set(`s${n}`, "bob")
  expect(await world.put("s6")).toBe("new")
})

test("[LIMIT6] a stream that is there already counts for nobody who asks for it", async () => {
  const world = await new World().full()
  world.creators.set("of-bob", "bob")
  expect(await world.put("of-bob")).toBe("there")
  world.creators.delete("s1")
  world.creators.delete("s2")
  expect(await world.put("of-bob")).toBe("there")
  expect([await world.put("s6"), await world.put("s7"), await world.put("s8")]).toEqual([
    "new",
    "new",
    "too-many",
  ])
})

test("[LIMIT6] a crash between counting and making locks nobody out for good", async () => {
  const world = new World()
  for (let n = 1; n <= 5; n++)
    expect(await world.object.admit(ADA, `lost${n}`)).toMatchObject({ kind: "counted" })
  expect(await world.put("s1")).toBe("too-many") // they may be in the making
  expect(world.looks).toEqual([])
  world.time += BOUNDS.creationMsMax
  world.wake()
  for (let n = 1; n <= 5; n++) expect(await world.put(`s${n}`)).toBe("new")
  world.time += BOUNDS.creationMsMax
  expect(await world.put("s6")).toBe("too-many")
})

test("[LIMIT6] a stream that cannot be asked counts", async () => {
  const world = await new World().full()
  world.unreachable = "s1"
  world.creators.delete("s1")
  for (let attempt = 0; attempt < 4; attempt++) expect(await world.put("s6")).toBe("too-many")
  world.unreachable = undefined
  const answers = []
  for (let attempt = 0; attempt < 3; attempt++) answers.push(await world.put("s6"))
  expect(answers).toContain("new")
})

test("[LIMIT6] a stream counts, whichever of two requests that were admitted has made it", async () => {
  const world = new World()
  const gate = Promise.withResolvers<void>()
  const slow = world.put("s1", gate.promise)
  expect(await world.put("s1")).toBe("new")
  gate.resolve()
  expect(await slow).toBe("there")
  for (let n = 2; n <= 5; n++) expect(await world.put(`s${n}`)).toBe("new")
  expect(await world.put("s6")).toBe("too-many")
})

test("[LIMIT6] who gives up forgets nothing that another request is about to make", async () => {
  const world = new World()
  const first = await world.object.admit(ADA, "s1")
  expect(await world.object.admit(ADA, "s1")).toEqual({ kind: "known" })
  if (first.kind === "counted") world.object.forget("s1", first.made)
  for (let n = 2; n <= 5; n++) expect(await world.put(`s${n}`)).toBe("new")
  expect(await world.put("s6")).toBe("too-many")
})

test("[LIMIT6] a stream that is made again while it is looked at goes on to count", async () => {
  const world = await new World().full()
  world.creators.delete("s1")
  world.onLook = (path) => {
    if (path === "s1") world.again ??= world.put("s1")
  }
  expect(await world.put("s6")).toBe("too-many")
  expect(await world.again).toBe("new")
  world.onLook = () => undefined
  for (let attempt = 0; attempt < 4; attempt++) expect(await world.put("s6")).toBe("too-many")
})
