import { env } from "cloudflare:workers"
import { SUBPROTOCOL } from "../../../shared/frames.ts"
import app from "../../../worker/index.ts"
import { newIssuer } from "../../support/issuer.ts"
import { EdgeSocket } from "../edge-client.ts"

/** An edge whose access is by token, as it would be deployed: its host is not this machine. */
export const HOST = "https://edge.example"

export const issuer = await newIssuer()

export type Vars = Readonly<Record<string, string>>

/** One request to the edge as the runtime would hand it in, with these variables. */
export function request(
  address: string,
  init: RequestInit = {},
  vars: Vars = issuer.vars,
): Promise<Response> {
  const { STREAMS, PRINCIPALS, SEGMENTS, VIEWS, FOLDS, DIRECTORY } = env
  const bindings = { STREAMS, PRINCIPALS, SEGMENTS, VIEWS, FOLDS, DIRECTORY }
  return app.fetch(new Request(new URL(address, HOST), init), { ...bindings, ...vars })
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, "content-type": "application/json" }
}

/** A JSON stream with these messages, made by somebody who may do everything. */
export async function makeStream(path: string, body = "[]"): Promise<void> {
  const headers = bearer(await issuer.token("maker"))
  const made = await request(`/v1/stream/${path}`, { method: "PUT", headers, body })
  if (made.status !== 201) throw new Error(`The stream was not made: ${made.status} ${await made.text()}`)
}

export async function ticketFor(path: string, token: string): Promise<string> {
  const answer = await request(`/v1/ticket/${path}`, { method: "POST", headers: bearer(token) })
  const { ticket } = (await answer.json()) as { ticket: string }
  return ticket
}

export type Opening = { readonly token?: string; readonly ticket?: string; readonly origin?: string }

export function upgrade(path: string, { token, ticket, origin }: Opening): Promise<Response> {
  const protocols = ticket === undefined ? SUBPROTOCOL : `${SUBPROTOCOL}, ticket.${ticket}`
  const headers: Record<string, string> = { upgrade: "websocket", "sec-websocket-protocol": protocols }
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  if (origin !== undefined) headers.origin = origin
  return request(`/v1/stream/${path}?live=ws&offset=-1`, { headers })
}

export async function openSocket(path: string, opening: Opening): Promise<EdgeSocket> {
  const { webSocket } = await upgrade(path, opening)
  if (webSocket === null) throw new Error("The edge answered without a socket.")
  return new EdgeSocket(webSocket)
}

/** Everything of an answer that its reader sees. */
export async function seen(response: Response): Promise<object> {
  return { status: response.status, headers: [...response.headers], body: await response.text() }
}
