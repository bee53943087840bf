/** What a portal answers to everything, until somebody signs in at it. */
export type Portal = { readonly status: number }

export const PORTALS: readonly Portal[] = [200, 302, 403, 404, 410].map((status) => ({ status }))

/** What its answers say of themselves: nothing that only an edge says. */
export const PORTAL_HEADERS: Record<string, string> = {
  "content-type": "text/html",
  location: "http://portal.example",
}

export function portalAnswer({ status }: Portal): Response {
  return new Response("<html>Welcome. Sign in to go on.</html>", { status, headers: PORTAL_HEADERS })
}
