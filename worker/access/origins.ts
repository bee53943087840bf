import { bad, type Decoded, good } from "../../shared/decoded.ts"

/** Which pages may use the edge from a browser. */
export type Origins =
  | { readonly kind: "all" }
  | { readonly kind: "listed"; readonly list: ReadonlySet<string> }

export const ALL_ORIGINS: Origins = { kind: "all" }

export const NO_ORIGINS: Origins = { kind: "listed", list: new Set() }

/** Reads `ALLOWED_ORIGINS`: `*`, or origins as browsers write them. */
export function decodeOrigins(text: string): Decoded<Origins> {
  if (text.trim() === "*") return good(ALL_ORIGINS)
  const list = text.split(",").map((origin) => origin.trim())
  const wrong = list.find((origin) => !isOrigin(origin))
  if (wrong === undefined) return good({ kind: "listed", list: new Set(list) })
  return bad(
    `ALLOWED_ORIGINS is * or a list of origins such as https://app.example; ${JSON.stringify(wrong)} came.`,
  )
}

/** "null" is what every sandboxed frame and every file says it is: nobody in particular, so it is no origin. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text
}

/** Whether a request may go on. One without `Origin` comes from no page of a browser. */
export function isWelcome(origins: Origins, origin: string | null): boolean {
  return origin === null || origins.kind === "all" || origins.list.has(origin)
}

/** What lets a page read an answer. Caches have to know that another origin gets another one. */
export function originHeaders(origins: Origins, origin: string | null): Record<string, string> {
  if (origins.kind === "all") return { "Access-Control-Allow-Origin": "*" }
  if (origin === null || !origins.list.has(origin)) return { Vary: "Origin" }
  return { "Access-Control-Allow-Origin": origin, Vary: "Origin" }
}
