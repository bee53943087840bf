import type { Skip } from "../../shared/view/fold.ts"
import type { Storage } from "./storage.ts"

/** The record of what a view passes over. */
type SkipsRecord = { readonly name: string; readonly skips: readonly Skip[] }

/** Which events the app has told views to pass over: kept with the log, since it decides what their rows are. */
export class ViewSkips {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** @param view What names the view's terms. */
  async list(view: string): Promise<readonly Skip[]> {
    const record = await this.#storage.read((tx) => tx.get("meta", nameOf(view)), ["meta"])
    return (record as SkipsRecord | undefined)?.skips ?? [] // `add` writes these
  }

  /** Resolves with all of them, when this one is flushed. */
  add(view: string, skip: Skip): Promise<readonly Skip[]> {
    return this.#storage.write(
      "strict",
      async (tx) => {
        const name = nameOf(view)
        const known = ((await tx.get("meta", name)) as SkipsRecord | undefined)?.skips ?? [] // as above
        const isKnown = known.some(
          ({ source, eventId }) => source === skip.source && eventId === skip.eventId,
        )
        const skips = isKnown ? known : [...known, skip]
        tx.put("meta", { name, skips })
        return skips
      },
      ["meta"],
    )
  }
}

function nameOf(view: string): string {
  return `skips ${view}`
}
