import { parseBatch } from "../../../shared/batch.ts"
import { START } from "../../../shared/offset.ts"
import { positionOf } from "../disk-check.ts"
import type { LedgerEvent } from "../model.ts"
import type { Tab } from "../tab.ts"
import { Violation } from "../trace.ts"
import type { Stage } from "./stage.ts"

/** Imports events that were written elsewhere. What the import says is done is on the tab's device from then on. */
export async function importEvents(stage: Stage, tab: Tab, events: readonly LedgerEvent[]): Promise<void> {
  const { stream, world } = stage
  const { history } = world
  const imported = { stream, device: tab.device.name, tab: tab.name, isImported: true } as const
  for (const event of events.filter(({ id }) => history.get(id) === undefined))
    history.add({ ...imported, event, turn: [event], state: "asked", offset: undefined })
  const lines = events.map((event) => JSON.stringify(event))
  await stage.done("everything is imported", async () => {
    const { done } = await tab.ask((engine) => engine.importLines(stream, lines))
    for (const { id } of events.slice(0, done)) history.stored(id)
  })
}

/** A consumer of a stream that keeps its place on the disk, and starts again from there after a crash. */
export class Consumer {
  readonly #seen = new Set<string>()
  #seenTo = 0

  /** Reads on from the kept place to the end of what the disk has. It may see again what it has seen, never less. */
  readOn(stage: Stage, tab: Tab): Promise<void> {
    return stage.done("the consumer has read on", async () => {
      await this.#read(stage, tab)
      const missed = stage.world.checker
        .log(stage.stream)
        .slice(0, this.#seenTo)
        .find(({ id }) => !this.#seen.has(id))
      if (missed !== undefined) throw new Violation("S10", `The consumer was not given ${missed.id}.`)
    })
  }

  async #read({ stream }: Stage, tab: Tab): Promise<void> {
    const request = { from: START, live: false, cursor: "reports" }
    const reader = await tab.ask((engine) => engine.openReader(stream, request))
    for (;;) {
      const page = await tab.ask((engine) => engine.readOn(reader))
      if (page === undefined) break
      if (positionOf(page.from) > this.#seenTo)
        throw new Violation(
          "S10",
          `The consumer had seen ${this.#seenTo} messages and went on at ${page.from}.`,
        )
      for (const { id } of parseBatch(page.text) as LedgerEvent[]) this.#seen.add(id) // the apps append nothing else
      this.#seenTo = Math.max(this.#seenTo, positionOf(page.next))
      await tab.ask((engine) => engine.moveCursor(reader, page.next))
    }
    await tab.ask((engine) => engine.closeReader(reader))
  }
}
