import { type Context, Hono } from "hono"
import { accessOf } from "../access/access.ts"
import { boundsFor, configurationFault } from "../configuration.ts"
import type { Env } from "../env.ts"
import { log } from "../log.ts"
import { withDataPoint } from "../meter/data-point.ts"
import { accessRoutes } from "./access-routes.ts"
import { refuse } from "./answer.ts"
import { preflight, withCommonHeaders } from "./common-headers.ts"
import { refusalOf } from "./front.ts"
import { rightFor } from "./guard.ts"
import { HEALTH, health } from "./health.ts"
import { meterRoutes } from "./meter-route.ts"
import { head, isSocketWanted, read } from "./reads.ts"
import { requestFacts } from "./request-facts.ts"
import { notBelow, PREFIX } from "./stream-path.ts"
import { onStream, type StreamRoute } from "./stream-route.ts"
import { viewRoutes } from "./view-routes.ts"
import { append, change, create, remove } from "./writes.ts"

/** Bytes in, one question to the stream's object, bytes out. A route keeps no state and decides nothing. */
const routes = new Hono<StreamRoute>()

routes.get(HEALTH, (c) => health(c.env))

routes.options("*", () => preflight())

routes.use(
  `${PREFIX}*`,
  onStream(PREFIX, (c) => (isSocketWanted(c) ? undefined : rightFor(c.req.method))),
)

routes.route("/", accessRoutes)
routes.route("/", meterRoutes)
routes.route("/", viewRoutes)

routes.put(`${PREFIX}*`, create)
routes.post(`${PREFIX}*`, append)
routes.patch(`${PREFIX}*`, change)
routes.delete(`${PREFIX}*`, remove)

/** Hono asks this one for HEAD as well. */
routes.get(`${PREFIX}*`, (c) => (c.req.method === "HEAD" ? head(c) : read(c)))

routes.all(`${PREFIX}*`, (c) => {
  const allow = "GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS"
  return refuse(405, `A stream takes ${allow}; ${c.req.method} came.`, { Allow: allow })
})

routes.notFound((c) => refuse(404, notBelow(PREFIX, new URL(c.req.url).pathname)))

routes.onError((error, c) => failed(error, c))

function failed(error: Error, c: Context<StreamRoute>): Response {
  log("request failed", { ...requestFacts(c.req.raw), error: String(error) })
  const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean } // the runtime's marks
  if (retryable === true || overloaded === true) {
    return refuse(503, "The stream cannot answer now; try again.", { "Retry-After": "1" })
  }
  return refuse(500, "The edge failed; this is a fault of its own.")
}

export const app = {
  async fetch(request: Request, env: Env): Promise<Response> {
    const answer = (asked: Request) => answerOf(asked, env)
    return env.METER === undefined ? answer(request) : withDataPoint(env.METER, request, answer)
  },
}

async function answerOf(request: Request, env: Env): Promise<Response> {
  const url = new URL(request.url)
  const bounds = boundsFor(env)
  const access = accessOf(env, url.hostname, bounds)
  const origin = request.headers.get("origin")
  const fault = url.pathname === HEALTH ? undefined : configurationFault(env, access)
  if (fault !== undefined) {
    log("not configured", { ...requestFacts(request), error: fault })
    return withCommonHeaders(refuse(503, fault), access, origin)
  }
  const front = { access, bounds }
  const answer = refusalOf(access, request, url) ?? (await routes.fetch(request, { ...env, ...front }))
  return withCommonHeaders(answer, access, origin)
}
