import type { NoFold } from "../view/fold-reads.ts"
import { rowsPrefix } from "../view/snapshot-writer.ts"
import type { SnapshotAnswer } from "../view/snapshots.ts"
import { refuse } from "./answer.ts"
import { IMMUTABLE, isKnown } from "./page-response.ts"
import { onLive, type ViewContext } from "./view-route.ts"

/** What the newest snapshot is of, and what its rows are found by. */
export async function snapshot(c: ViewContext): Promise<Response> {
  if (c.env.SEGMENTS === undefined) return noBucket()
  return onLive<SnapshotAnswer>(
    c,
    async (fold) => fold.snapshot(),
    (answer) => {
      if (answer.kind === "none") return refuse(404, "There is no snapshot of the view yet.")
      const headers = { "Content-Type": "application/json", "Cache-Control": "no-store" }
      return new Response(answer.manifest, { headers })
    },
  )
}

type RowsAnswer =
  | { readonly kind: "rows"; readonly body: ReadableStream | null }
  | { readonly kind: "none" }
  | NoFold

/** The rows of a table that a snapshot names. The object of the view has no part in it but to say which one answers. */
export async function rows(c: ViewContext): Promise<Response> {
  const { SEGMENTS } = c.env
  if (SEGMENTS === undefined) return noBucket()
  const hash = c.req.query("hash") ?? ""
  if (!/^[0-9a-f]{64}$/.test(hash))
    return refuse(400, `"hash" is 64 hexadecimal digits in lower case; ${JSON.stringify(hash)} came.`)
  const headers = {
    "Content-Type": "text/plain; charset=us-ascii",
    ETag: `"${hash}"`,
    "Cache-Control": IMMUTABLE,
  }
  const isHeld = isKnown(c.req.raw.headers.get("if-none-match"), headers.ETag)
  const isBodyWanted = c.req.method !== "HEAD" && !isHeld
  return onLive<RowsAnswer>(
    c,
    async ({ id }) => {
      const key = rowsPrefix(id.toString()) + hash
      const object = isBodyWanted ? await SEGMENTS.get(key) : null
      if (object !== null) return { kind: "rows", body: object.body }
      const isThere = !isBodyWanted && (await SEGMENTS.head(key)) !== null
      return isThere ? { kind: "rows", body: null } : { kind: "none" }
    },
    (answer) => {
      if (answer.kind === "none") return refuse(404, "The view has no such rows, or no longer.")
      return new Response(answer.body, { status: isHeld ? 304 : 200, headers })
    },
  )
}

function noBucket(): Response {
  return refuse(501, "This edge keeps no snapshots of views: SEGMENTS is not bound.")
}
