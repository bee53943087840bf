import { DurableObject } from "cloudflare:workers"
import type { Millis } from "../../shared/ids.ts"
import { boundsFor } from "../configuration.ts"
import type { Env } from "../env.ts"
import { PrincipalStreams, type StreamAdmission } from "./principal-streams.ts"

/** One principal's Durable Object: it lends its storage and clock, and asks streams whether they are there. */
export class PrincipalObject extends DurableObject<Env> {
  readonly #streams: PrincipalStreams

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#streams = new PrincipalStreams({
      bounds: boundsFor(env),
      now: () => Date.now() as Millis, // which is what Date.now counts
      exec: (sql, ...values) => state.storage.sql.exec(sql, ...values),
      isThere: async (principal, path) => (await env.STREAMS.getByName(path).creator()) === principal,
    })
  }

  /** Counts a stream that the principal is about to make. To be asked before the stream's object is. */
  admit(principal: string, path: string): Promise<StreamAdmission> {
    return this.#streams.admit(principal, path)
  }

  /** The stream was not made after all by the request that was told `made`. */
  forget(path: string, made: Millis): void {
    this.#streams.forget(path, made)
  }
}
