/** One word of a SQL text. `text` of a quoted name or string is what stands between its quotes, unescaped. */
export type SqlToken = {
  readonly kind: "word" | "name" | "string" | "number" | "parameter" | "sign"
  readonly text: string
}

/** The first statement of a text, word by word. */
export type SqlText = {
  /** Without comments, and without the semicolon that ends it. */
  readonly tokens: readonly SqlToken[]
  /**
   * Parameters as written, by position: position 1 comes first. Undefined where it has no name (`?`) or a
   * number is skipped.
   */
  readonly parameters: readonly (string | undefined)[]
  /** Whether anything but comments and semicolons follows the first statement. */
  readonly hasMore: boolean
  /** What is wrong with the text as text: a quote that never closes, a character that begins no word. */
  readonly fault: string | undefined
}

/*
 * SQLite's words. Sticky, so that each match begins where the last one ended:
 *   1 blank or comment   2 string   3 "name"   4 `name`   5 [name]   6 number   7 parameter   8 word   9 sign
 */
const WORD = new RegExp(
  [
    String.raw`([ \t\n\f\r]+|--[^\n]*|/\*[^]*?(?:\*/|$))`,
    `'((?:[^']|'')*)'`,
    `"((?:[^"]|"")*)"`,
    "`((?:[^`]|``)*)`",
    String.raw`\[([^\]]*)\]`,
    String.raw`((?:[0-9]|\.[0-9])(?:[eE][+-]|[0-9A-Za-z_.])*)`,
    String.raw`(\?[0-9]*|[:@$][A-Za-z0-9_$\u0080-\uffff]+)`,
    String.raw`([A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*)`,
    String.raw`(->>|->|\|\||<<|>>|<=|>=|<>|==|!=|[-+*/%&|~<>=(),;.])`,
  ].join("|"),
  "y",
)

/**
 * Reads a text as SQLite's own reader does, as far as the end of its first statement. It serves what compiled
 * programs do not tell: where the statement ends, what its parameters are called, what arguments a call is
 * given.
 */
export function scanSql(sql: string): SqlText {
  const tokens: SqlToken[] = []
  let ended = false
  for (const word of wordsOf(sql)) {
    if (typeof word === "number") {
      const fault = `at character ${word + 1}: ${JSON.stringify(sql.slice(word, word + 20))}`
      return { ...text(tokens, ended), fault }
    }
    if (isSign(word.token, ";")) ended = true
    else if (ended) return text(tokens, true)
    else tokens.push(word.token)
  }
  return text(tokens, false)
}

/** The first statement of a text as it is written, without the semicolon that ends it. */
export function firstStatement(sql: string): string {
  let hasBegun = false
  for (const word of wordsOf(sql)) {
    if (typeof word === "number") return sql
    if (!isSign(word.token, ";")) hasBegun = true
    else if (hasBegun) return sql.slice(0, word.start)
  }
  return sql
}

/**
 * The same text, whatever it has of statements, with some of its words written otherwise: `rewrite` is given each word
 * and how it is written, and answers undefined for those that stay. What cannot be read stays as well; comments behind
 * the last word go.
 */
export function rewriteSql(
  sql: string,
  rewrite: (token: SqlToken, written: string) => string | undefined,
): string {
  let written = ""
  let copied = 0
  let end = 0
  for (const word of wordsOf(sql)) {
    end = typeof word === "number" ? sql.length : word.end
    if (typeof word === "number") break
    const other = rewrite(word.token, sql.slice(word.start, word.end))
    if (other === undefined) continue
    written += sql.slice(copied, word.start) + other
    copied = word.end
  }
  return written + sql.slice(copied, end)
}

type Word = { readonly token: SqlToken; readonly start: number; readonly end: number }

/** The words of a text in order, and at last the place of the first character that begins none, if there is one. */
function* wordsOf(sql: string): Generator<Word | number> {
  let at = 0
  while (at < sql.length) {
    WORD.lastIndex = at
    const match = WORD.exec(sql)
    if (match === null) return yield at
    const [start, end] = [at, WORD.lastIndex]
    at = end
    const token = tokenOf(match)
    if (token !== undefined) yield { token, start, end }
  }
}

function tokenOf(match: RegExpExecArray): SqlToken | undefined {
  const [, blank, string, double, back, bracket, number, parameter, word, sign] = match
  if (blank !== undefined) return undefined
  if (word !== undefined) return { kind: "word", text: word }
  if (parameter !== undefined) return { kind: "parameter", text: parameter }
  if (string !== undefined) return { kind: "string", text: string.replaceAll("''", "'") }
  if (number !== undefined) return { kind: "number", text: number }
  if (sign !== undefined) return { kind: "sign", text: sign }
  const name = double?.replaceAll(`""`, `"`) ?? back?.replaceAll("``", "`") ?? bracket ?? ""
  return { kind: "name", text: name }
}

function text(tokens: readonly SqlToken[], hasMore: boolean): SqlText {
  return { tokens, parameters: parametersOf(tokens), hasMore, fault: undefined }
}

/**
 * SQLite's numbering: a name keeps the number it got first, `?7` is 7, all else gets one more than the
 * highest.
 */
function parametersOf(tokens: readonly SqlToken[]): (string | undefined)[] {
  const parameters: (string | undefined)[] = []
  for (const token of tokens) {
    if (token.kind !== "parameter") continue
    const number = /^\?([0-9]{1,5})$/.exec(token.text)?.[1]
    if (number !== undefined) {
      const position = Number(number)
      while (parameters.length < position) parameters.push(undefined)
      parameters[position - 1] ??= token.text
    } else if (token.text === "?") parameters.push(undefined)
    else if (!parameters.includes(token.text)) parameters.push(token.text)
  }
  return parameters
}

/** Whether an unquoted word is this keyword or name: SQL does not tell upper case from lower. */
export function isWord(token: SqlToken | undefined, ...words: readonly string[]): boolean {
  return token?.kind === "word" && words.includes(token.text.toUpperCase())
}

/** Whether the token is this sign. */
export function isSign(token: SqlToken | undefined, sign: string): boolean {
  return token?.kind === "sign" && token.text === sign
}
