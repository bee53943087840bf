import type { Reply } from "../../shared/append-reply.ts"

/** An answer that says in one sentence what was expected and what came. */
export function refuse(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ message }, { status, headers })
}

/** What an append was answered, as HTTP. */
export function appendResponse({ status, headers, message }: Reply): Response {
  return message === undefined ? new Response(null, { status, headers }) : refuse(status, message, headers)
}
