import type { Facts } from "../log.ts"

/** By what a request is found again: nothing of its query, its headers but the platform's id of it, or its body. */
export function requestFacts(request: Request): Facts {
  const ray = request.headers.get("cf-ray")
  return { method: request.method, path: new URL(request.url).pathname, ...(ray !== null && { ray }) }
}
