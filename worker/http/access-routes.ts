import { Hono } from "hono"
import { bad, type Decoded, good, isRecord, parseJson } from "../../shared/decoded.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { Revocation } from "../stream/revocations.ts"
import { refuse } from "./answer.ts"
import { faultResponse } from "./page-response.ts"
import { readBody } from "./request-body.ts"
import { onStream, type StreamRoute } from "./stream-route.ts"

const TICKET = "/v1/ticket/"
const REVOCATION = "/v1/revocation/"

/** What callers ask about access itself: a ticket for a socket, the end of somebody's tokens. */
export const accessRoutes = new Hono<StreamRoute>()

accessRoutes.use(
  `${TICKET}*`,
  onStream(TICKET, () => "read"),
)

accessRoutes.post(`${TICKET}*`, async (c) => {
  const issued = await c.get("stub").issueTicket(c.get("caller"))
  switch (issued.kind) {
    case "issued": {
      const { ticket, expiresAt } = issued
      return Response.json({ ticket, expiresAt: new Date(expiresAt).toISOString() }, { status: 201 })
    }
    case "missing":
    case "deleted":
      return faultResponse(issued)
    case "full": {
      const { ticketMsMax, ticketsMax } = c.get("bounds")
      const seconds = Math.ceil(ticketMsMax / 1000)
      const message = `A stream has ${ticketsMax} tickets in ${seconds} seconds; all are given.`
      return refuse(429, message, { "Retry-After": String(seconds) })
    }
  }
})

accessRoutes.use(
  `${REVOCATION}*`,
  onStream(REVOCATION, () => "manage"),
)

accessRoutes.post(`${REVOCATION}*`, async (c) => {
  const bounds = c.get("bounds")
  const body = await readBody(c.req.raw, bounds)
  const revocation = body.kind === "whole" ? decodeRevocation(body.bytes, bounds) : bad("It is too large.")
  if (!revocation.ok) return refuse(400, revocation.reason)
  const outcome = await c.get("stub").revoke(revocation.value, c.get("caller"))
  switch (outcome.kind) {
    case "revoked":
      return new Response(null, { status: 204 })
    case "missing":
    case "deleted":
      return faultResponse(outcome)
    case "full":
      return refuse(429, `A stream remembers ${bounds.revocationsMax} revocations, and it has as many.`)
  }
})

for (const prefix of [TICKET, REVOCATION]) {
  accessRoutes.all(`${prefix}*`, (c) =>
    refuse(405, `Tickets and revocations are made by POST; ${c.req.method} came.`, {
      Allow: "POST, OPTIONS",
    }),
  )
}

function decodeRevocation(
  bytes: Uint8Array,
  { principalLengthMax }: Pick<Bounds, "principalLengthMax">,
): Decoded<Revocation> {
  const parsed = parseJson(new TextDecoder().decode(bytes))
  const [entry, ...others] = parsed.ok && isRecord(parsed.value) ? Object.entries(parsed.value) : []
  const [kind, name] = entry ?? []
  const isName = typeof name === "string" && name !== "" && name.length <= principalLengthMax
  if (others.length === 0 && isName && (kind === "principal" || kind === "token")) return good({ kind, name })
  const expected = `{"principal": "..."} or {"token": "..."}, a name of 1 to ${principalLengthMax} characters`
  return bad(`A revocation is ${expected}; something else came.`)
}
