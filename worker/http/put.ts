import { tooLargeMessage } from "../../shared/append-reply.ts"
import type { CreateOutcome } from "../stream/create.ts"
import type { ForkClaim } from "../stream/fork-claim.ts"
import { noSource } from "../stream/stream-forks.ts"
import { refuse } from "./answer.ts"
import { createClaim, stateHeaders, streamClaim } from "./create-headers.ts"
import { forkHeaders } from "./fork-headers.ts"
import { forkPoint } from "./fork-point.ts"
import { pathFault } from "./paths.ts"
import type { Streams } from "./read-page.ts"
import type { RequestBody } from "./request-body.ts"

/** Makes a stream, or a fork of one. */
export async function put(
  streams: Streams,
  path: string,
  { headers, url }: Request,
  body: RequestBody,
): Promise<Response> {
  const claim = streamClaim(headers)
  if (!claim.ok) return refuse(400, claim.reason)
  const fork = forkHeaders(headers)
  if (!fork.ok) return refuse(400, fork.reason)
  if (body.kind === "too-large") return refuse(413, tooLargeMessage(body.bytes))
  const outcome =
    fork.value === undefined
      ? await streams.getByName(path).create(createClaim(claim.value), body.bytes)
      : await createFork(streams, path, { ...claim.value, ...fork.value }, body.bytes)
  return createResponse(outcome, url)
}

async function createFork(
  streams: Streams,
  path: string,
  claim: ForkClaim,
  body: Uint8Array<ArrayBuffer>,
): Promise<CreateOutcome> {
  const stub = streams.getByName(path)
  const existing = await stub.existingFork(claim)
  if (existing !== undefined) return existing
  if (pathFault(claim.source) !== undefined) return noSource(claim.source)
  const point = await forkPoint(streams, claim)
  if (point.kind !== "point") return point
  const { offset, prefix } = point
  return stub.fork(path, claim, { offset, prefix }, body)
}

function createResponse(outcome: CreateOutcome, url: string): Response {
  switch (outcome.kind) {
    case "stream": {
      const location = outcome.isNew ? { Location: locationOf(url) } : undefined
      const headers = { ...stateHeaders(outcome), ...location }
      return new Response(null, { status: outcome.isNew ? 201 : 200, headers })
    }
    case "no-source":
      return refuse(404, outcome.reason)
    case "conflict":
      return refuse(409, outcome.reason)
    case "malformed":
      return refuse(400, outcome.reason)
    case "too-large":
      return refuse(413, tooLargeMessage(outcome.bytes))
  }
}

/** The stream's address: the request's without its query. */
function locationOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
