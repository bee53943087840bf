import { DIRECTORY_NAME } from "../directory/name.ts"
import type { Env } from "../env.ts"
import { Listing, type ListingParts } from "./listing.ts"
import type { Absent } from "./stream-life.ts"
import type { StreamState } from "./stream-record.ts"
import { Watchers } from "./watchers.ts"

export type InterestedParts = Omit<ListingParts, "directory" | "generation"> & {
  state(): StreamState | Absent
}

/** Who is told of a stream by itself: the edge's directory that it is there, the folds of views that it has changed. */
export class Interested {
  readonly #watchers: Watchers
  readonly #listing: Listing | undefined
  #hasLooked = false

  constructor({ DIRECTORY, FOLDS }: Env, { state, ...parts }: InterestedParts) {
    this.#watchers = new Watchers({
      ...parts,
      listener: (name) => ({ news: async (from) => (await FOLDS?.getByName(name).news(from)) ?? false }),
    })
    if (DIRECTORY === undefined) return
    const generation = () => {
      const found = state()
      return found.kind === "stream" ? found.stream.generation : undefined
    }
    this.#listing = new Listing({ ...parts, generation, directory: DIRECTORY.getByName(DIRECTORY_NAME) })
  }

  /** Tells those who watch, and asks for a turn to tell the directory in. Nobody waits for either. */
  changed(): void {
    this.#listing?.look()
    this.#watchers.tell()
  }

  /** At the first request of an object's life: its stream may be older than the directory. */
  lookOnce(): void {
    if (this.#hasLooked) return
    this.#hasLooked = true
    this.#listing?.look()
  }

  /** Does not reject: what fails is tried again. */
  async tellDirectory(): Promise<void> {
    await this.#listing?.tell()
  }

  watch(name: string, path: string): void {
    this.#watchers.add(name, path)
  }
}
