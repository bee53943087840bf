import { bad, type Decoded, good } from "../../shared/decoded.ts"
import { HEADER } from "../../shared/http.ts"
import { LIMITS } from "../../shared/limits.ts"
import { NOW } from "../../shared/offset.ts"
import { pathIn } from "./stream-path.ts"

/** Where a PUT asks to fork from: `source` is the path of a stream, if what it names could be one. */
export type ForkHeaders = {
  readonly source: string
  readonly offset: string | undefined
  readonly sub: number
}

/** Reads whether a PUT asks for a fork, and of what. */
export function forkHeaders(headers: Headers): Decoded<ForkHeaders | undefined> {
  const from = headers.get(HEADER.forkedFrom)
  const offset = headers.get(HEADER.forkOffset)
  const sub = headers.get(HEADER.forkSubOffset)
  if (from === null) {
    if (offset === null && sub === null) return good(undefined)
    return bad("Stream-Fork-Offset and Stream-Fork-Sub-Offset come with Stream-Forked-From; none came.")
  }
  const source = sourceIn(from)
  if (!source.ok) return source
  const past = subOffset(sub)
  if (!past.ok) return past
  const hasOffset = offset !== null && offset !== NOW
  if (past.value > 0 && !hasOffset) {
    return bad(`Stream-Fork-Sub-Offset is past a Stream-Fork-Offset; ${offset ?? "none"} came.`)
  }
  return good({ source: source.value, offset: hasOffset ? offset : undefined, sub: past.value })
}

/** The address of the source is written without its origin; it may be spelled as any URL may. */
function sourceIn(from: string): Decoded<string> {
  const expected = "Stream-Forked-From is the path of a stream's URL"
  if (!from.startsWith("/")) return bad(`${expected}, from the first slash on; ${from} came.`)
  const { pathname, search, hash } = new URL(`https://edge${from}`)
  if (search !== "" || hash !== "") return bad(`${expected}, without query and fragment; ${from} came.`)
  return good(pathIn(pathname) ?? "")
}

function subOffset(text: string | null): Decoded<number> {
  if (text === null) return good(0)
  const sub = /^(0|[1-9][0-9]{0,6})$/.test(text) ? Number(text) : Number.NaN
  if (sub <= LIMITS.appendBytesMax) return good(sub) // no append has more messages than bytes
  return bad(`Stream-Fork-Sub-Offset is a whole number up to ${LIMITS.appendBytesMax}; ${text} came.`)
}
