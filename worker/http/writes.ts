import type { Context } from "hono"
import { claimOfHeaders } from "../../shared/append-claim.ts"
import { tooManyStreams } from "../../shared/refusals.ts"
import { principalOf } from "../access/caller.ts"
import { createCounted, creatorOf } from "../limits/counted-creation.ts"
import type { CreateOutcome } from "../stream/create.ts"
import type { ForkClaim } from "../stream/fork-claim.ts"
import { noSource } from "../stream/stream-forks.ts"
import type { Absent } from "../stream/stream-life.ts"
import { appendResponse, refuse } from "./answer.ts"
import { termsChange } from "./change-headers.ts"
import { createClaim, stateHeaders, streamClaim } from "./create-headers.ts"
import { forkHeaders } from "./fork-headers.ts"
import { forkPoint } from "./fork-point.ts"
import { admit } from "./guard.ts"
import { faultResponse } from "./page-response.ts"
import { readBody, refuseBody } from "./request-body.ts"
import { pathFault } from "./stream-path.ts"
import type { StreamRoute } from "./stream-route.ts"

type StreamContext = Context<StreamRoute>

export async function create(c: StreamContext): Promise<Response> {
  const [bounds, caller, stub] = [c.get("bounds"), c.get("caller"), c.get("stub")]
  const principal = principalOf(caller)
  const body = await readBody(c.req.raw, bounds)
  const claim = streamClaim(c.req.raw.headers, bounds, principal)
  if (!claim.ok) return refuse(400, claim.reason)
  const fork = forkHeaders(c.req.raw.headers)
  if (!fork.ok) return refuse(400, fork.reason)
  if (body.kind !== "whole") return refuseBody(body)
  const outcome = await createCounted({
    path: c.get("path"),
    creator: creatorOf(c.env, bounds, principal),
    isThere: async () => (await stub.head(caller)).kind === "stream",
    creatorOfStream: async () => stub.creator(),
    create: async () =>
      fork.value === undefined
        ? stub.create(createClaim(claim.value), body.bytes, caller)
        : createFork(c, { ...claim.value, ...fork.value }, body.bytes),
  })
  switch (outcome.kind) {
    case "stream": {
      const location = outcome.isNew ? { Location: locationOf(c.req.url) } : undefined
      return new Response(null, {
        status: outcome.isNew ? 201 : 200,
        headers: { ...stateHeaders(outcome), ...location },
      })
    }
    case "no-source":
      return refuse(404, outcome.reason)
    case "conflict":
      return refuse(409, outcome.reason)
    case "malformed":
      return refuse(400, outcome.reason)
    case "foreign-source":
      return refuse(403, outcome.reason)
    case "missing":
    case "deleted":
      return faultResponse(outcome)
    case "too-large":
      return refuseBody(outcome)
    case "too-many":
      return appendResponse(tooManyStreams(bounds))
  }
}

/** Whoever forks reads the source. One that they may not read is, to them, not there. */
async function createFork(
  c: StreamContext,
  claim: ForkClaim,
  body: Uint8Array<ArrayBuffer>,
): Promise<CreateOutcome | Absent> {
  const [bounds, caller, stub] = [c.get("bounds"), c.get("caller"), c.get("stub")]
  const existing = await stub.existingFork(claim, caller)
  if (existing !== undefined) return existing
  if (pathFault(claim.source, bounds.pathLengthMax) !== undefined) return noSource(claim.source)
  const admission = await admit(c.env.access, c.req.raw, claim.source, "read")
  if (admission.kind === "refused") return noSource(claim.source)
  const source = { ...c.get("source"), stub: c.env.STREAMS.getByName(claim.source), caller: admission.caller }
  const point = await forkPoint(source, claim)
  if (point.kind !== "point") return point
  const { offset, prefix } = point
  return stub.fork(c.get("path"), claim, { offset, prefix }, body, caller)
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
  const outcome = await c.get("stub").change(wanted.value, c.get("caller"))
  return outcome.kind === "done" ? new Response(null, { status: 204 }) : faultResponse(outcome)
}

export async function remove(c: StreamContext): Promise<Response> {
  const outcome = await c.get("stub").delete(c.get("caller"))
  return outcome.kind === "done" ? new Response(null, { status: 204 }) : faultResponse(outcome)
}

/** The stream's address: the request's without its query. */
function locationOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
