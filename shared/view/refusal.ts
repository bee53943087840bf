import { VIEW_LIMITS } from "../common-limits.ts"
import { HeadwaterError } from "../errors.ts"
import { SqlFailure } from "../sql.ts"
import { type SqlText, scanSql } from "../sql-text.ts"
import { copiesExpected, copiesOf } from "./with-parts.ts"

/** Where in a view a statement stands, for its error. */
export type Place = string

/** The refusal of a view. */
export function invalidView(message: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError("invalid-view", message, cause === undefined ? {} : { cause })
}

/** The refusal of a statement: where it stands, what was expected, what came. */
export function refusal(place: Place, expected: string, came: string): HeadwaterError {
  return invalidView(`${place}: expected ${expected}; got ${came}.`)
}

/** The refusal of what answers differently on another device or at another time. */
export function notEverywhere(place: Place, what: string): HeadwaterError {
  return refusal(place, "functions that answer alike on every device and at any time", what)
}

/** SQLite's own refusal, with the place in front of it. */
export function attempt<T>(place: Place, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof SqlFailure)) throw cause
    throw invalidView(`${place}: expected SQL that compiles; SQLite says: ${cause.message}`, cause)
  }
}

/** Reads a text that has to be one statement. @throws HeadwaterError `invalid-view` */
export function oneStatement(sql: string, place: Place): SqlText {
  const text = scanSql(sql)
  if (text.fault !== undefined) throw refusal(place, "SQL", `a text that cannot be read ${text.fault}`)
  if (text.tokens.length === 0) throw refusal(place, "one statement", "none")
  if (text.hasMore)
    throw refusal(place, "one statement (several go into an array)", "more than one in a text")
  if (sql.length > VIEW_LIMITS.sqlLengthMax) {
    throw refusal(place, `at most ${VIEW_LIMITS.sqlLengthMax} characters`, `${sql.length}`)
  }
  const copies = copiesOf(text.tokens)
  if (copies > VIEW_LIMITS.sqlCopiesMax) throw refusal(place, copiesExpected(), `${copies} copies`)
  return text
}

/** The beginning of a text, to be recognized by. */
export function begin(sql: string): string {
  return JSON.stringify(sql.trim().slice(0, 40))
}
