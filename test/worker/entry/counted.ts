import type { Env } from "../../../worker/env.ts"
import edge, { StreamObject } from "../../../worker/index.ts"

/*
 * The edge as it is, and a way to ask from outside how often the object of a stream was made:
 *
 *   GET /made/<path>    a number, told without a word to the object
 *
 * An object whose path begins with "awake/" keeps a timer, as no object of ours may: it cannot hibernate.
 */

const made = new Map<string, number>()

const TICK_MS = 1_000

class CountedStream extends StreamObject {
  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    const path = state.id.name ?? ""
    made.set(path, (made.get(path) ?? 0) + 1)
    if (path.startsWith("awake/")) setInterval(() => undefined, TICK_MS)
  }
}

export { CountedStream as StreamObject }

export default {
  ...edge,
  fetch(request: Request, env: Env): Promise<Response> | Response {
    const [, path] = /^\/made\/(.+)$/.exec(new URL(request.url).pathname) ?? []
    return path === undefined ? edge.fetch(request, env) : Response.json(made.get(path) ?? 0)
  },
}
