import { Hono } from "hono"
import { boundsFor } from "../configuration.ts"
import type { Env } from "../env.ts"
import { refuse } from "./answer.ts"
import { faultResponse } from "./page-response.ts"
import { pathFault } from "./stream-path.ts"

const PREFIX = "/v1/meter/"

/** What operators ask of one stream: what its use has come to. */
export const meterRoutes = new Hono<{ Bindings: Env }>()

meterRoutes.get(`${PREFIX}*`, async (c) => {
  const path = new URL(c.req.url).pathname.slice(PREFIX.length)
  if (pathFault(path, boundsFor(c.env).pathLengthMax) !== undefined) return faultResponse({ kind: "missing" })
  const report = await c.env.STREAMS.getByName(path).meter()
  if (report.kind === "missing") return faultResponse(report)
  const { kind: _, ...told } = report
  return Response.json(told)
})

meterRoutes.all(`${PREFIX}*`, (c) => {
  const allow = "GET, HEAD, OPTIONS"
  return refuse(405, `A meter takes ${allow}; ${c.req.method} came.`, { Allow: allow })
})
