import type { Access } from "../access/access.ts"
import { isWelcome } from "../access/origins.ts"
import { refuse } from "./answer.ts"
import { hasTokenInQuery } from "./guard.ts"

const HEALTH = "/health"

/** What is refused whatever it asks for; undefined for everything else. */
export function refusalOf(access: Access, request: Request, url: URL): Response | undefined {
  if (access.kind === "unconfigured") return url.pathname === HEALTH ? undefined : refuse(503, access.message)
  const origin = request.headers.get("origin")
  if (!isWelcome(access.origins, origin) && request.method !== "OPTIONS") {
    return refuse(403, `Pages of ${JSON.stringify(origin)} may not use this edge.`)
  }
  if (!hasTokenInQuery(url)) return undefined
  return refuse(400, "A token comes in the Authorization header, or as a ticket; one came in the address.")
}

/** Whether the edge takes requests. */
export function health(access: Access): Response {
  if (access.kind !== "unconfigured") return Response.json({ status: "ok" })
  return Response.json({ status: "unconfigured", message: access.message }, { status: 503 })
}
