import { Hono } from "hono"
import { refuse } from "./answer.ts"
import { faultResponse } from "./page-response.ts"
import { onStream, type StreamRoute } from "./stream-route.ts"

const PREFIX = "/v1/meter/"

/** What operators ask of one stream: what its use has come to. */
export const meterRoutes = new Hono<StreamRoute>()

meterRoutes.use(
  `${PREFIX}*`,
  onStream(PREFIX, () => "manage"),
)

meterRoutes.get(`${PREFIX}*`, async (c) => {
  const report = await c.get("stub").meter(c.get("caller"))
  if (report.kind === "missing" || report.kind === "deleted") return faultResponse(report)
  const { kind: _, ...told } = report
  return Response.json(told)
})

meterRoutes.all(`${PREFIX}*`, (c) => {
  const allow = "GET, HEAD, OPTIONS"
  return refuse(405, `A meter takes ${allow}; ${c.req.method} came.`, { Allow: allow })
})
