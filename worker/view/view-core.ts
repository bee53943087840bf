import { assert } from "../../shared/assert.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { SqlDatabase, SqlRow } from "../../shared/sql.ts"
import { viewKey } from "../../shared/view/definition.ts"
import type { Begun } from "./fold-core.ts"
import { Statements, textAt, wholeAt } from "./statements.ts"
import { type FoldClaim, type SkipAsk, sameStreams, type ViewClaim } from "./view-claim.ts"

/*
 *   generations   key number   every fold of the view that there is, or was and is not cleared away yet
 *
 * `starting`: its object has not said that the view compiles. `building`: it folds. `live`: the view answers from it;
 * there is one at most. `over`: its object is to be cleared, after which the row goes. Numbers are never given twice.
 */
const TABLE = `CREATE TABLE IF NOT EXISTS generations (
  number INTEGER PRIMARY KEY AUTOINCREMENT, phase TEXT NOT NULL, claim TEXT NOT NULL
)`

type GenerationPhase = "starting" | "building" | "live" | "over"

type Generation = {
  readonly number: number
  readonly phase: GenerationPhase
  readonly claim: Omit<FoldClaim, "generation">
}

/** What a view's object asks of the objects of its generations. */
export interface FoldPeer {
  begin(claim: FoldClaim): Promise<Begun>
  end(): Promise<void>
}

export type ViewParts = {
  readonly database: SqlDatabase
  readonly bounds: Pick<Bounds, "viewRetryMs">
  now(): Millis
  wakeAt(at: Millis): void
  fold(name: string, generation: number): FoldPeer
  failed(error: unknown): void
}

/** Which generations to ask: the one that answers, and the one that is to take its place. */
export type Current = { readonly live: number | undefined; readonly building: number | undefined }

export type PutOutcome =
  | { readonly kind: "made" | "changed" | "unchanged"; readonly generation: number }
  | { readonly kind: "invalid"; readonly message: string }

/**
 * One view by its name: which definition it has, and which generation of its rows answers. A changed definition is a
 * new generation that is folded from the beginning beside the old one, and takes its place in one write once it is
 * whole. Nothing is in memory only: between any two steps the object may be gone, and goes on from what is stored.
 */
export class ViewCore {
  readonly #parts: ViewParts
  readonly #statements: Statements

  constructor(parts: ViewParts) {
    this.#parts = parts
    this.#statements = new Statements(parts.database)
  }

  /** Defines the view, or finds that it is defined so. */
  async put(name: string, claim: ViewClaim): Promise<PutOutcome> {
    const latest = this.#latest()
    const isSame =
      latest !== undefined &&
      viewKey(latest.claim.view) === viewKey(claim.view) &&
      sameStreams(latest.claim.streams, claim.streams)
    if (isSame) {
      const begun = await this.#begin(latest.number) // it may have been interrupted, or be under way
      return begun.kind === "invalid" ? begun : { kind: "unchanged", generation: latest.number }
    }
    return this.#start({ name, ...claim, skips: [] }, latest === undefined ? "made" : "changed")
  }

  /** Folds the same definition once more from the beginning. Undefined when there is none. */
  async rebuild(): Promise<PutOutcome | undefined> {
    const latest = this.#latest()
    return latest && this.#start(latest.claim, "changed")
  }

  current(): Current {
    const all = this.#all()
    return {
      live: all.find(({ phase }) => phase === "live")?.number,
      building: all.findLast(({ phase }) => phase === "building" || phase === "starting")?.number,
    }
  }

  /** A generation is whole. Answers whether the view answers from it, now or already. */
  built(number: number): boolean {
    const found = this.#all().find((one) => one.number === number)
    if (found === undefined || found.phase === "over") return false
    if (found.phase === "live") return true
    this.#parts.database.atomically(() => {
      this.#statements.run("UPDATE generations SET phase = 'over' WHERE number < ?", number)
      this.#note(number, "live")
    })
    this.#parts.wakeAt(this.#parts.now())
    return true
  }

  /** Takes note of what is passed over, for when the same definition is folded once more. */
  noteSkip(skip: SkipAsk): void {
    for (const { number, phase, claim } of this.#all()) {
      if (phase === "over") continue
      const skips = [...claim.skips, skip]
      this.#statements.run(
        "UPDATE generations SET claim = ? WHERE number = ?",
        JSON.stringify({ ...claim, skips }),
        number,
      )
    }
  }

  /** Ends the view. Answers whether there was one. */
  remove(): boolean {
    const isThere = this.#latest() !== undefined
    if (isThere) this.#statements.run("UPDATE generations SET phase = 'over'")
    if (isThere) this.#parts.wakeAt(this.#parts.now())
    return isThere
  }

  /** What is due by itself: objects to clear, and such as were to begin when something failed. Does not reject. */
  async sweep(): Promise<void> {
    const { fold, now, wakeAt, bounds, failed } = this.#parts
    for (const { number, phase, claim } of this.#all()) {
      try {
        if (phase === "over") {
          await fold(claim.name, number).end()
          this.#statements.run("DELETE FROM generations WHERE number = ? AND phase = 'over'", number)
        } else if (phase === "starting") await this.#begin(number)
      } catch (error) {
        failed(error)
        wakeAt((now() + bounds.viewRetryMs) as Millis) // a time plus a duration
      }
    }
  }

  async #start(claim: Generation["claim"], kind: "made" | "changed"): Promise<PutOutcome> {
    const { now, wakeAt, bounds } = this.#parts
    this.#statements.database.exec(TABLE)
    this.#statements.run(
      "INSERT INTO generations (phase, claim) VALUES ('starting', ?)",
      JSON.stringify(claim),
    )
    const number = this.#all().at(-1)?.number
    assert(number !== undefined, "what was just written is there")
    wakeAt((now() + bounds.viewRetryMs) as Millis) // for whoever is interrupted here; a time plus a duration
    const begun = await this.#begin(number)
    return begun.kind === "invalid" ? begun : { kind, generation: number }
  }

  /** Repeatable. */
  async #begin(number: number): Promise<Begun> {
    const { fold, database } = this.#parts
    const before = this.#all().find((one) => one.number === number)
    if (before === undefined || before.phase !== "starting") return { kind: "begun" }
    const begun = await fold(before.claim.name, number).begin({ ...before.claim, generation: number })
    const after = this.#all().find((one) => one.number === number)
    if (after?.phase !== "starting") return begun // it is over, or somebody else has begun it meanwhile
    if (begun.kind === "invalid") {
      this.#statements.run("DELETE FROM generations WHERE number = ?", number)
      return begun
    }
    const isOutrun = this.#all().some((one) => one.number > number && one.phase !== "starting")
    database.atomically(() => {
      this.#note(number, isOutrun ? "over" : "building")
      if (isOutrun) return
      this.#statements.run(
        "UPDATE generations SET phase = 'over' WHERE number < ? AND phase <> 'live'",
        number,
      )
    })
    this.#parts.wakeAt(this.#parts.now())
    return begun
  }

  #note(number: number, phase: GenerationPhase): void {
    this.#statements.run("UPDATE generations SET phase = ? WHERE number = ?", phase, number)
  }

  /** The newest definition that counts, or may. */
  #latest(): Generation | undefined {
    return this.#all().findLast(({ phase }) => phase !== "over")
  }

  #all(): readonly Generation[] {
    if (!this.#statements.hasTable("generations")) return []
    return this.#statements
      .all("SELECT number, phase, claim FROM generations ORDER BY number")
      .map(generationOf)
  }
}

function generationOf(row: SqlRow): Generation {
  return {
    number: wholeAt(row, 0),
    phase: textAt(row, 1) as GenerationPhase, // was one when it was stored, as the next
    claim: JSON.parse(textAt(row, 2)) as Generation["claim"],
  }
}
