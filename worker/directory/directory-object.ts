import { DurableObject } from "cloudflare:workers"
import { boundsFor } from "../configuration.ts"
import type { Env } from "../env.ts"
import { Directory, type DirectoryNews, type DirectoryPage } from "./directory.ts"

/**
 * The one object of an edge that knows which streams it has: it lends its storage and decides nothing. One, and not
 * several by first segment, because patterns and lists go across all of them. A stream speaks to it twice in its life
 * and waits for nothing, so it bounds neither how many streams are made nor how fast; 10 GB hold some 50 million.
 */
export class DirectoryObject extends DurableObject<Env> {
  readonly #directory: Directory

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#directory = new Directory({
      bounds: boundsFor(env),
      exec: (sql, ...values) => state.storage.sql.exec(sql, ...values),
      listener: (name) => {
        const fold = env.FOLDS?.getByName(name)
        return { news: async () => (await fold?.streamsCame()) ?? false }
      },
    })
  }

  there(path: string, generation: number): void {
    this.#directory.there(path, generation)
  }

  gone(path: string, generation: number): void {
    this.#directory.gone(path, generation)
  }

  list(prefix: string, from?: string): DirectoryPage {
    return this.#directory.list(prefix, from)
  }

  since(seq: number, patterns: readonly string[]): DirectoryNews {
    return this.#directory.since(seq, patterns)
  }

  watch(name: string, patterns: readonly string[]): void {
    this.#directory.watch(name, patterns)
  }
}
