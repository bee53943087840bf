import type { Context } from "hono"
import { claimOfHeaders } from "../../shared/append-claim.ts"
import { tooManyStreams } from "../../shared/refusals.ts"
import { principalOf } from "../access/caller.ts"
import { createCounted, creatorOf } from "../limits/counted-creation.ts"
import { appendResponse, refuse } from "./answer.ts"
import { termsChange } from "./change-headers.ts"
import { createClaim, stateHeaders } from "./create-headers.ts"
import { faultResponse } from "./page-response.ts"
import { readBody, refuseBody } from "./request-body.ts"
import type { StreamRoute } from "./stream-route.ts"

type StreamContext = Context<StreamRoute>

export async function create(c: StreamContext): Promise<Response> {
  const [bounds, caller, stub] = [c.get("bounds"), c.get("caller"), c.get("stub")]
  const principal = principalOf(caller)
  const body = await readBody(c.req.raw, bounds)
  const claim = createClaim(c.req.raw.headers, bounds, principal)
  if (!claim.ok) return refuse(400, claim.reason)
  if (body.kind !== "whole") return refuseBody(body)
  const outcome = await createCounted({
    path: c.get("path"),
    creator: creatorOf(c.env, bounds, principal),
    isThere: async () => (await stub.head(caller)).kind === "stream",
    create: async () => stub.create(claim.value, body.bytes, caller),
  })
  switch (outcome.kind) {
    case "stream": {
      const location = outcome.isNew ? { Location: locationOf(c.req.url) } : undefined
      return new Response(null, {
        status: outcome.isNew ? 201 : 200,
        headers: { ...stateHeaders(outcome), ...location },
      })
    }
    case "conflict":
      return refuse(409, outcome.reason)
    case "malformed":
      return refuse(400, outcome.reason)
    case "foreign-source":
      return refuse(403, outcome.reason)
    case "missing":
      return faultResponse(outcome)
    case "too-large":
      return refuseBody(outcome)
    case "too-many":
      return appendResponse(tooManyStreams(bounds))
  }
}

export async function append(c: StreamContext): Promise<Response> {
  const [bounds, caller] = [c.get("bounds"), c.get("caller")]
  const body = await readBody(c.req.raw, bounds)
  const claim = claimOfHeaders((name) => c.req.header(name), bounds, principalOf(caller))
  if (!claim.ok) return refuse(400, claim.reason)
  if (body.kind !== "whole") return refuseBody(body)
  return appendResponse(await c.get("stub").append(claim.value, body.bytes, caller))
}

export async function change(c: StreamContext): Promise<Response> {
  const wanted = termsChange(c.req.raw.headers)
  if (!wanted.ok) return refuse(400, wanted.reason)
  const isChanged = await c.get("stub").change(wanted.value, c.get("caller"))
  return isChanged ? new Response(null, { status: 204 }) : faultResponse({ kind: "missing" })
}

export async function remove(c: StreamContext): Promise<Response> {
  const isDeleted = await c.get("stub").delete(c.get("caller"))
  return isDeleted ? new Response(null, { status: 204 }) : faultResponse({ kind: "missing" })
}

/** The stream's address: the request's without its query. */
function locationOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
