import { isSign, isWord, type SqlToken } from "../sql-text.ts"

/*
 * Which rows SQLite visits first is an affair of its planner, and planners differ between builds. This reads a
 * statement for places where the order of rows shows in the result: LIMIT, aggregates that join what they
 * find, windows, columns beside an aggregate that are not grouped by.
 */

/** A token, or what stands between a pair of parentheses. */
type Node = SqlToken | { readonly kind: "group"; readonly nodes: readonly Node[] }

const AGGREGATES = "count sum total avg min max group_concat string_agg json_group_array json_group_object"
const IS_AGGREGATE = new Set(AGGREGATES.split(" "))
const JOINS_ROWS = new Set(["group_concat", "string_agg", "json_group_array", "json_group_object"])
/** Over a whole partition these answer alike in any order. */
const WINDOWS_WITHOUT_ORDER = new Set(["count", "sum", "total", "avg", "min", "max"])
const JSON_TABLES = new Set(["json_each", "json_tree"])
const COMPOUND = ["UNION", "INTERSECT", "EXCEPT"]

/** What in a statement depends on the order of rows, in words for its refusal; undefined if nothing is found. */
export function orderFault(tokens: readonly SqlToken[]): string | undefined {
  return levelFault(grouped(tokens))
}

/** Whether a call makes one value of many rows. Of several arguments, `min` and `max` take the least and greatest. */
function joins(name: string, given: readonly Node[]): boolean {
  return IS_AGGREGATE.has(name) && !((name === "min" || name === "max") && given.some(isComma))
}

function grouped(tokens: readonly SqlToken[]): Node[] {
  const levels: Node[][] = [[]]
  for (const token of tokens) {
    if (isSign(token, "(")) levels.push([])
    else if (isSign(token, ")") && levels.length > 1) {
      const nodes = levels.pop() ?? []
      levels.at(-1)?.push({ kind: "group", nodes })
    } else levels.at(-1)?.push(token)
  }
  return levels[0] ?? []
}

/** What stands between two parentheses, or the statement itself. */
function levelFault(nodes: readonly Node[]): string | undefined {
  for (const node of nodes) {
    const fault = node.kind === "group" ? levelFault(node.nodes) : undefined
    if (fault !== undefined) return fault
  }
  const selects = selectsOf(nodes)
  if (selects.length === 0 && has(nodes, "LIMIT")) return "LIMIT of an UPDATE or DELETE"
  const first = selects[0]
  if (first === undefined) return undefined
  const isOrdered = selects.some((select) => clause(select, "ORDER").length > 0)
  if (has(nodes, "LIMIT") && !isOrdered && !selects.every(isInOrder)) return "LIMIT without ORDER BY"
  for (const select of selects) {
    const fault = selectFault(select)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** The SELECTs of a level, each up to the next part of a compound one. */
function selectsOf(nodes: readonly Node[]): Node[][] {
  const selects: Node[][] = []
  let current: Node[] | undefined
  for (const node of nodes) {
    if (node.kind !== "group" && isWord(node, "SELECT")) {
      current = []
      selects.push(current)
    } else if (node.kind !== "group" && isWord(node, ...COMPOUND)) current = undefined
    current?.push(node)
  }
  return selects
}

function selectFault(select: readonly Node[]): string | undefined {
  const calls = callsOf(select)
  for (const { name, given, over } of calls) {
    if (over !== undefined) {
      const window = over.kind === "group" ? over.nodes : namedWindow(select, over)
      if (!WINDOWS_WITHOUT_ORDER.has(name) && !has(window, "ORDER"))
        return `${name} over rows without ORDER BY`
    } else if (JOINS_ROWS.has(name) && !has(given, "ORDER") && !isInOrder(select)) {
      return `${name} without ORDER BY`
    }
  }
  const groups = clause(select, "GROUP")
  const isAggregate =
    groups.length > 0 || calls.some((call) => call.over === undefined && joins(call.name, call.given))
  return isAggregate ? bareColumn(select, separated(groups)) : undefined
}

/** Whether rows come from one JSON text and nothing else: in the order of the text. */
function isInOrder(select: readonly Node[]): boolean {
  const [table, given, ...rest] = clause(select, "FROM")
  if (table === undefined) return true // a row of constants
  const isJson = (table.kind === "word" || table.kind === "name") && JSON_TABLES.has(table.text.toLowerCase())
  return isJson && given?.kind === "group" && !rest.some((node) => isComma(node) || isWordNode(node, "JOIN"))
}

/** A result column of an aggregate query that is neither an aggregate nor grouped by. */
function bareColumn(select: readonly Node[], groups: readonly (readonly Node[])[]): string | undefined {
  const texts = new Set(groups.map(textOf))
  const columns = separated(select.slice(1, until(select, 1)))
  for (const [at, column] of columns.entries()) {
    const [value, alias] = aliased(column)
    if (texts.has(textOf(value)) || texts.has(String(at + 1)) || (alias !== undefined && texts.has(alias)))
      continue
    const bare = bareNames(value).find((name) => !texts.has(name) && !texts.has(name.replace(/^.*\./, "")))
    if (bare !== undefined) return `${bare} beside an aggregate without GROUP BY ${bare}`
  }
  return undefined
}

/** A result column and the name that it is given, with or without AS. */
function aliased(column: readonly Node[]): readonly [readonly Node[], string | undefined] {
  const [before, last] = [column.at(-2), column.at(-1)]
  if (before === undefined || last === undefined) return [column, undefined]
  if (isWordNode(before, "AS")) return [column.slice(0, -2), textOf([last])]
  const endsValue =
    before.kind !== "sign" &&
    !(before.kind === "word" && VALUE_WORDS.has(before.text.toLowerCase()) && !isWord(before, "END"))
  const isName = last.kind === "name" || (last.kind === "word" && !VALUE_WORDS.has(last.text.toLowerCase()))
  return endsValue && isName ? [column.slice(0, -1), textOf([last])] : [column, undefined]
}

/** Words of an expression that are no names. */
const VALUE_WORDS = new Set(
  [
    "and or not is null in between like glob escape case when then else end cast as distinct all collate",
    "isnull notnull true false exists current_date current_time current_timestamp",
  ].flatMap((line) => line.split(" ")),
)

/** The columns that an expression names outside of aggregates and of queries in parentheses. */
function bareNames(nodes: readonly Node[]): string[] {
  const names: string[] = []
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at]
    const next = nodes[at + 1]
    if (node === undefined) continue
    if (isWordNode(node, "AS")) break // the type of a CAST
    if (isWordNode(node, "COLLATE")) at++
    else if (node.kind === "group") {
      if (!isWordNode(node.nodes[0], "SELECT", "WITH")) names.push(...bareNames(node.nodes))
    } else if (node.kind === "word" || node.kind === "name") {
      if (next?.kind === "group") {
        if (joins(node.text.toLowerCase(), next.nodes)) at++ // with its arguments
      } else if (next !== undefined && next.kind === "sign" && next.text === ".") {
        const column = nodes[at + 2]
        names.push(`${textOf([node])}.${column === undefined ? "" : textOf([column])}`)
        at += 2
      } else if (node.kind === "name" || !VALUE_WORDS.has(node.text.toLowerCase())) names.push(textOf([node]))
    } else if (isStar(node, nodes[at - 1])) names.push("*")
  }
  return names
}

/** A `*` that stands for columns, and not between two factors. */
function isStar(node: Node, before: Node | undefined): boolean {
  return node.kind === "sign" && node.text === "*" && (before === undefined || isComma(before))
}

type Call = { readonly name: string; readonly given: readonly Node[]; readonly over: Node | undefined }

/** The calls of a level, those in plain parentheses and in arguments included, those of other queries not. */
function callsOf(nodes: readonly Node[]): Call[] {
  return nodes.flatMap((node, at): Call[] => {
    if (node.kind !== "group") return []
    if (isWordNode(node.nodes[0], "SELECT", "WITH")) return []
    const inner = callsOf(node.nodes)
    const before = nodes[at - 1]
    if (before === undefined || (before.kind !== "word" && before.kind !== "name")) return inner
    let after = at + 1
    if (isWordNode(nodes[after], "FILTER")) after += 2
    const over = isWordNode(nodes[after], "OVER") ? nodes[after + 1] : undefined
    return [{ name: before.text.toLowerCase(), given: node.nodes, over }, ...inner]
  })
}

function namedWindow(select: readonly Node[], name: Node): readonly Node[] {
  const at = select.findIndex(
    (node, index) => textOf([node]) === textOf([name]) && isWordNode(select[index + 1], "AS"),
  )
  const group = select[at + 2]
  return at >= 0 && group?.kind === "group" ? group.nodes : []
}

const CLAUSES = ["FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "ON", "RETURNING"]

/** What stands behind a clause's word, without a `BY`, up to the next clause. Joins have their own ON. */
function clause(select: readonly Node[], word: string): readonly Node[] {
  const at = select.findIndex((node) => isWordNode(node, word))
  if (at < 0) return []
  const start = isWordNode(select[at + 1], "BY") ? at + 2 : at + 1
  return select.slice(start, until(select, start))
}

function until(select: readonly Node[], start: number): number {
  const end = select.findIndex((node, at) => at >= start && isWordNode(node, ...CLAUSES))
  return end < 0 ? select.length : end
}

function separated(nodes: readonly Node[]): Node[][] {
  const parts: Node[][] = [[]]
  for (const node of nodes) {
    if (isComma(node)) parts.push([])
    else parts.at(-1)?.push(node)
  }
  return parts.filter((part) => part.length > 0)
}

/** A text to compare by: names are alike in upper and lower case. */
function textOf(nodes: readonly Node[]): string {
  return nodes
    .map((node) => {
      if (node.kind === "group") return `(${textOf(node.nodes)})`
      return node.kind === "string" ? `'${node.text}'` : node.text.toLowerCase()
    })
    .join(" ")
    .replaceAll(" . ", ".")
}

function has(nodes: readonly Node[], word: string): boolean {
  return nodes.some((node) => isWordNode(node, word))
}

function isWordNode(node: Node | undefined, ...words: readonly string[]): boolean {
  return node !== undefined && node.kind !== "group" && isWord(node, ...words)
}

function isComma(node: Node): boolean {
  return node.kind !== "group" && isSign(node, ",")
}
