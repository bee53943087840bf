import type { Context, MiddlewareHandler } from "hono"
import type { Right } from "../../shared/grants.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { Access } from "../access/access.ts"
import type { Caller } from "../access/caller.ts"
import type { Env } from "../env.ts"
import { headerBytesFault } from "../limits/header-bytes.ts"
import { R2Store } from "../segments/r2-store.ts"
import { refuse } from "./answer.ts"
import type { StreamStub } from "./feed.ts"
import { admit } from "./guard.ts"
import type { Source } from "./read-page.ts"
import { notBelow, pathFault } from "./stream-path.ts"

/** What a route about one stream is given. `caller` is there when the route asked for a right. */
export type StreamRoute = {
  Bindings: Env & { readonly access: Access; readonly bounds: Bounds }
  Variables: { path: string; stub: StreamStub; caller: Caller; source: Source; bounds: Bounds }
}

/**
 * Stands before every route below a prefix that is about one stream: finds the stream, and lets nobody pass who has
 * not the right that `rightOf` says. Undefined: the route asks by itself.
 */
export function onStream(
  prefix: string,
  rightOf: (c: Context<StreamRoute>) => Right | undefined,
): MiddlewareHandler<StreamRoute> {
  return async (c, next) => {
    const { pathname } = new URL(c.req.url)
    if (!pathname.startsWith(prefix)) return refuse(404, notBelow(prefix, pathname)) // routes match unescaped
    const path = pathname.slice(prefix.length)
    const { bounds } = c.env
    const fault = pathFault(path, bounds.pathLengthMax)
    if (fault !== undefined) return refuse(404, `There is no such stream: ${fault}.`)
    const tooLong = headerBytesFault(c.req.raw.headers, bounds.headerBytesMax)
    if (tooLong !== undefined) return refuse(431, tooLong)
    const right = rightOf(c)
    if (right !== undefined) {
      const admission = await admit(c.env.access, c.req.raw, path, right)
      if (admission.kind === "refused") return admission.response
      c.set("caller", admission.caller)
    }
    const stub = c.env.STREAMS.getByName(path)
    c.set("bounds", bounds)
    c.set("path", path)
    c.set("stub", stub)
    const store = c.env.SEGMENTS && new R2Store(c.env.SEGMENTS)
    const { readBytesMax } = bounds
    c.set("source", { stub, caller: c.get("caller"), streams: c.env.STREAMS, store, readBytesMax })
    return next()
  }
}
