import { VIEW_LIMITS } from "../common-limits.ts"
import { isSign, isWord, type SqlToken } from "../sql-text.ts"

/** A part of a statement that has a name: `name (columns) AS NOT MATERIALIZED (body)`. */
export type WithPart = { readonly name: string; readonly body: readonly SqlToken[] }

/** The parts of a statement, those within parts included. */
export function withParts(tokens: readonly SqlToken[]): WithPart[] {
  return tokens.flatMap((_, at) => partAt(tokens, at) ?? [])
}

/** Whether a part reads itself. */
export function readsItself({ name, body }: WithPart): boolean {
  return body.some((token) => isNamed(token, name))
}

/**
 * How many selects SQLite makes of a statement's parts while it compiles it, at most: it writes each part out wherever
 * it is read, and what that part reads within it. Parts that read the one before them twice double with each, and
 * thirty of them would take all memory before anything could stop it. Infinite where parts read each other in a circle,
 * as SQL has none; two of one name, in different places, count as one that reads what both read.
 */
export function copiesOf(tokens: readonly SqlToken[]): number {
  const parts = withParts(tokens)
  const reads = new Map<string, string[]>()
  for (const { name, body } of parts)
    reads.set(name, [...(reads.get(name) ?? []), ...tablesRead(body).filter((table) => table !== name)])
  const within = new Set(parts.flatMap(({ body }) => body))
  const outside = tablesRead(tokens.filter((token) => !within.has(token)))
  const known = new Map<string, number>()
  const copies = (name: string): number => {
    const before = known.get(name)
    if (before !== undefined) return before
    known.set(name, Number.POSITIVE_INFINITY) // until it is known: then a circle leads back to it
    const sum = 1 + copiesIn(reads.get(name) ?? [])
    known.set(name, sum)
    return sum
  }
  const copiesIn = (tables: readonly string[]): number =>
    tables.reduce((sum, table) => sum + (reads.has(table) ? copies(table) : 0), 0)
  return Math.max(copiesIn(outside), ...[...reads.keys()].map(copies))
}

/** Words behind which no tables stand, until there is another FROM. */
const NO_TABLES = [
  "SELECT",
  "WHERE",
  "ON",
  "USING",
  "GROUP",
  "HAVING",
  "ORDER",
  "LIMIT",
  "WINDOW",
  "VALUES",
  "SET",
]

/** The names that stand where a table does, each as often as it stands there. */
function tablesRead(tokens: readonly SqlToken[]): string[] {
  const found: string[] = []
  const around: boolean[] = []
  let areTables = false
  for (const [at, token] of tokens.entries()) {
    const before = tokens[at - 1]
    if (isWord(token, "FROM", "JOIN")) areTables = true
    else if (isWord(token, ...NO_TABLES)) areTables = false
    else if (isSign(token, "(")) around.push(areTables)
    else if (isSign(token, ")")) areTables = around.pop() ?? false
    else if (token.kind === "word" || token.kind === "name") {
      const isBehind = isWord(before, "FROM", "JOIN") || isSign(before, ",") || isSign(before, "(")
      if (isWord(before, "IN") || (areTables && isBehind)) found.push(token.text.toLowerCase())
    }
  }
  return found
}

/** The part that begins with the AS at this place. */
function partAt(tokens: readonly SqlToken[], at: number): WithPart | undefined {
  if (!isWord(tokens[at], "AS")) return undefined
  let open = at + 1
  while (isWord(tokens[open], "NOT", "MATERIALIZED")) open++
  if (!isSign(tokens[open], "(")) return undefined
  let before = at - 1
  if (isSign(tokens[before], ")")) {
    while (before > 0 && !isSign(tokens[before], "(")) before--
    before--
  }
  const name = tokens[before]?.text.toLowerCase()
  if (name === undefined) return undefined
  let depth = 0
  for (let end = open; end < tokens.length; end++) {
    if (isSign(tokens[end], "(")) depth++
    if (isSign(tokens[end], ")") && --depth === 0) return { name, body: tokens.slice(open + 1, end) }
  }
  return undefined
}

function isNamed({ kind, text }: SqlToken, name: string): boolean {
  return kind !== "string" && text.toLowerCase() === name
}

/** What is expected of parts that read parts, for who has too many. */
export function copiesExpected(): string {
  return `parts of a WITH that come to at most ${VIEW_LIMITS.sqlCopiesMax} copies where they are read`
}
