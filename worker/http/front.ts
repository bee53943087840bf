import type { Access } from "../access/access.ts"
import { isWelcome } from "../access/origins.ts"
import { refuse } from "./answer.ts"
import { hasTokenInQuery } from "./guard.ts"
import { HEALTH } from "./health.ts"

/** What is refused whatever it asks for; undefined for everything else. */
export function refusalOf(access: Access, request: Request, url: URL): Response | undefined {
  if (url.pathname === HEALTH) return undefined
  const origin = request.headers.get("origin")
  if (!isWelcome(access.origins, origin) && request.method !== "OPTIONS") {
    return refuse(403, `Pages of ${JSON.stringify(origin)} may not use this edge.`)
  }
  if (!hasTokenInQuery(url)) return undefined
  return refuse(400, "A token comes in the Authorization header, or as a ticket; one came in the address.")
}
