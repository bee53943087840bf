import { DurableObject } from "cloudflare:workers"
import { assert } from "../../shared/assert.ts"
import type { Millis } from "../../shared/ids.ts"
import { now } from "../clock.ts"
import { boundsFor } from "../configuration.ts"
import type { Env } from "../env.ts"
import { log } from "../log.ts"
import { alarmTime, SharedAlarm } from "../stream/shared-alarm.ts"
import { openDurableSqlite } from "./do-sqlite.ts"
import type { Skipped } from "./fold-core.ts"
import type { NoFold } from "./fold-reads.ts"
import { foldName, type SkipAsk, type ViewClaim } from "./view-claim.ts"
import { type Current, type PutOutcome, ViewCore } from "./view-core.ts"

/** One view's object: it lends its storage, clock and alarm to the core. The rows are in the objects of its folds. */
export class ViewObject extends DurableObject<Env> {
  readonly #core: ViewCore
  readonly #alarm: SharedAlarm

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    const { storage } = state
    this.#alarm = new SharedAlarm((at) => void storage.setAlarm(at))
    this.#core = new ViewCore({
      database: openDurableSqlite(storage),
      bounds: boundsFor(env),
      now,
      wakeAt: (at) => this.#alarm.wakeAt(alarmTime(at, now())),
      fold: (name, generation) => this.#fold(name, generation),
      failed: (error) => log("view failed", { object: state.id.toString(), error: String(error) }),
    })
    void state.blockConcurrencyWhile(async () => {
      this.#alarm.restore(((await storage.getAlarm()) ?? undefined) as Millis | undefined) // set from one
    })
  }

  put(name: string, claim: ViewClaim): Promise<PutOutcome> {
    return this.#core.put(name, claim)
  }

  rebuild(): Promise<PutOutcome | undefined> {
    return this.#core.rebuild()
  }

  current(): Current {
    return this.#core.current()
  }

  /** For a fold: its generation is whole. Answers whether the view answers from it. */
  built(generation: number): boolean {
    return this.#core.built(generation)
  }

  /** Lets a source go on, in every generation in which it stands still there. */
  async skip(name: string, ask: SkipAsk): Promise<Skipped | NoFold> {
    const { live, building } = this.#core.current()
    const outcomes: (Skipped | NoFold)[] = []
    for (const generation of [live, building]) {
      if (generation !== undefined) outcomes.push(await this.#fold(name, generation).skip(ask))
    }
    const skipped = outcomes.find(({ kind }) => kind === "skipped")
    if (skipped !== undefined) this.#core.noteSkip(ask)
    return skipped ?? outcomes[0] ?? { kind: "no-fold" }
  }

  /** Ends the view. Answers whether there was one. */
  remove(): boolean {
    return this.#core.remove()
  }

  override async alarm(): Promise<void> {
    this.#alarm.ring()
    await this.#core.sweep()
  }

  #fold(name: string, generation: number) {
    const { FOLDS } = this.env
    assert(FOLDS !== undefined, "whoever reaches a view has its folds")
    return FOLDS.getByName(foldName(name, generation))
  }
}
