import { VIEW_LIMITS } from "../common-limits.ts"
import { utf8Length } from "../events.ts"
import { isSign, isWord, type SqlToken } from "../sql-text.ts"
import type { FunctionCall } from "./program.ts"

/*
 * Which functions a fold may call. A list of what is allowed, not of what is not: a function that nobody here
 * has thought about would be the one that differs between two devices. Missing on purpose: whatever asks for
 * chance, the time, the connection or the build; the functions of a mathematical library (`sin`, `pow`, `exp`
 * ...), whose last digit differs between builds; those of JSONB, which has several spellings of one value; and
 * what Durable Objects do not let through (`if`, `ceiling`, `unistr`, `json_pretty` ...).
 */
export const EQUAL_FUNCTIONS: ReadonlySet<string> = new Set(
  [
    "abs ceil char coalesce concat concat_ws floor format glob hex ifnull iif instr length like",
    "likelihood likely lower ltrim max min mod nullif octet_length pi printf quote replace round rtrim sign sqrt",
    "substr substring trim trunc typeof unhex unicode unlikely upper zeroblob",
    "json json_array json_array_length json_extract json_insert json_object json_patch json_quote json_remove",
    "json_replace json_set json_type json_valid -> ->> json_group_array json_group_object",
    "avg count group_concat string_agg sum total",
    "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number",
  ].flatMap((line) => line.split(" ")),
)

/** Where each date function expects a moment. What follows the last of them are modifiers. */
const MOMENTS_OF: ReadonlyMap<string, readonly number[]> = new Map([
  ["date", [0]],
  ["time", [0]],
  ["datetime", [0]],
  ["julianday", [0]],
  ["unixepoch", [0]],
  ["strftime", [1]],
  ["timediff", [0, 1]],
])

const PRESENT = /^(now|subsec|subsecond)$/i
const LOCAL = /^\s*(localtime|utc)\s*$/i

/** Whether a date function takes this text for the present moment. */
export function meansPresent(text: string): boolean {
  return PRESENT.test(text)
}

/** Whether a program asks a date function about a moment that might be the present one. */
export function asksDates(calls: readonly FunctionCall[]): boolean {
  return calls.some((call) => !call.isPure && MOMENTS_OF.has(call.name))
}

/**
 * The first function that need not answer alike everywhere. Date functions are a question of their arguments.
 */
export function unequalCall(calls: readonly FunctionCall[]): string | undefined {
  return calls.find((call) => !EQUAL_FUNCTIONS.has(call.name) && !MOMENTS_OF.has(call.name))?.name
}

/** What a statement passes to date functions: the parameters that stand for a moment, or what is wrong. */
export type DateUse = { readonly moments: readonly string[] } | { readonly fault: string }

/**
 * Date functions answer alike everywhere if their moment is one that the event or the text names, and no
 * modifier asks for the device's time zone. Compiled programs do not list the arguments of a call, so this
 * reads the text: a moment must be a parameter (which is checked again when an event binds it) or a constant.
 */
export function readDateUse(tokens: readonly SqlToken[]): DateUse {
  const moments: string[] = []
  let found = false
  for (const [at, token] of tokens.entries()) {
    const positions =
      token.kind === "word" || token.kind === "name" ? MOMENTS_OF.get(token.text.toLowerCase()) : undefined
    if (positions === undefined || !isSign(tokens[at + 1], "(")) continue
    found = true
    const given = argumentsAfter(tokens, at + 2)
    for (const position of positions) {
      const fault = momentFault(given[position])
      if (fault !== undefined) return { fault: `${token.text} of ${fault}` }
      for (const part of given[position] ?? []) if (part.kind === "parameter") moments.push(part.text)
    }
    const zone = given.slice((positions.at(-1) ?? 0) + 1).find((modifier) => !isFixedModifier(modifier))
    if (zone !== undefined) return { fault: `${token.text} with the modifier ${show(zone)}` }
  }
  return found ? { moments } : { fault: "a date function that the table calls" }
}

/** What a statement passes to LIKE and GLOB: the parameters that are patterns, or what is wrong. */
export type PatternUse = { readonly patterns: readonly string[] } | { readonly fault: string }

/**
 * Durable Objects refuse patterns of more than 50 bytes when they come to them, and other places do not. So a
 * pattern must be a constant of so many or a parameter, which is measured when an event binds it.
 */
export function readPatterns(tokens: readonly SqlToken[]): PatternUse {
  const patterns: string[] = []
  for (const [at, token] of tokens.entries()) {
    if (!isWord(token, "LIKE", "GLOB") && !(token.kind === "name" && /^(like|glob)$/i.test(token.text)))
      continue
    const isCall = isSign(tokens[at + 1], "(")
    if (!isCall && token.kind === "name") continue
    const [called, ...others] = isCall ? argumentsAfter(tokens, at + 2) : []
    const given = others.length > 0 ? (called ?? []) : operand(tokens, at + 1)
    const [pattern] = given
    if (given.length === 1 && pattern?.kind === "parameter") patterns.push(pattern.text)
    else if (given.length !== 1 || pattern?.kind !== "string" || isLongPattern(pattern.text)) {
      return { fault: `${token.text} ${show(given)}`.slice(0, 80) }
    }
  }
  return { patterns }
}

/**
 * What is wrong with a call of `printf`, if anything: builds cut what it writes at different widths, so widths
 * are constants that all of them take.
 */
export function formatFault(tokens: readonly SqlToken[]): string | undefined {
  for (const [at, token] of tokens.entries()) {
    const isCall = (token.kind === "word" || token.kind === "name") && /^(printf|format)$/i.test(token.text)
    if (!isCall || !isSign(tokens[at + 1], "(")) continue
    const [given = []] = argumentsAfter(tokens, at + 2)
    const [format] = given
    const text =
      format?.kind === "string" && given.length === 1 ? format.text.replaceAll("%%", "") : undefined
    if (text === undefined || /%[^%a-z]*(\*|[0-9]{6})/i.test(text))
      return `${token.text}(${show(given)})`.slice(0, 80)
  }
  return undefined
}

/** Whether a Durable Object refuses a pattern. */
export function isLongPattern(text: string): boolean {
  return utf8Length(text) > VIEW_LIMITS.sqlPatternBytesMax
}

/** Signs that bind closer than LIKE, so that what stands behind them belongs to the pattern. */
const CLOSER = new Set([
  "||",
  "+",
  "-",
  "*",
  "/",
  "%",
  "&",
  "|",
  "<<",
  ">>",
  "->",
  "->>",
  "<",
  ">",
  "<=",
  ">=",
  ".",
])

function operand(tokens: readonly SqlToken[], at: number): SqlToken[] {
  const [first, next, after] = tokens.slice(at, at + 3)
  if (first === undefined) return []
  const goesOn = next?.kind === "sign" ? CLOSER.has(next.text) : isWord(next, "COLLATE")
  return goesOn && next !== undefined ? [first, next, ...(after === undefined ? [] : [after])] : [first]
}

function momentFault(given: readonly SqlToken[] | undefined): string | undefined {
  if (given === undefined || given.length === 0) return "the present moment"
  const [first] = isSign(given[0], "-") ? given.slice(1) : given
  const isOne = given.length === 1 || (given.length === 2 && isSign(given[0], "-"))
  if (isOne && first?.kind === "parameter") return undefined
  if (isOne && first?.kind === "number") return undefined
  if (isOne && first?.kind === "string" && !meansPresent(first.text)) return undefined
  return show(given)
}

function isFixedModifier(given: readonly SqlToken[]): boolean {
  const [only] = given
  return given.length === 1 && only?.kind === "string" && !LOCAL.test(only.text)
}

function show(tokens: readonly SqlToken[]): string {
  return tokens.map((token) => (token.kind === "string" ? `'${token.text}'` : token.text)).join(" ")
}

/** The arguments of a call, from behind its opening parenthesis to the closing one. */
function argumentsAfter(tokens: readonly SqlToken[], start: number): SqlToken[][] {
  const given: SqlToken[][] = []
  let current: SqlToken[] = []
  let depth = 0
  for (const token of tokens.slice(start)) {
    if (isSign(token, ")") && depth === 0) break
    if (isSign(token, "(")) depth++
    if (isSign(token, ")")) depth--
    if (isSign(token, ",") && depth === 0) {
      given.push(current)
      current = []
    } else current.push(token)
  }
  return current.length > 0 ? [...given, current] : given
}
