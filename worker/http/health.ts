import { VERSION } from "../../shared/version.ts"
import type { Access } from "../access/access.ts"
import { configurationFault } from "../configuration.ts"
import type { Env } from "../env.ts"

export const HEALTH = "/health"

/** Whether the edge takes requests, and which version it is. It asks nothing of any stream. */
export function health(env: Env & { readonly access: Access }): Response {
  const message = configurationFault(env, env.access)
  if (message === undefined) return Response.json({ status: "ok", version: VERSION })
  return Response.json({ status: "unconfigured", version: VERSION, message }, { status: 503 })
}
