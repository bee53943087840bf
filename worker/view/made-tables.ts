import { SQL_ERROR, type SqlDatabase, SqlFailure } from "../../shared/sql.ts"

/**
 * A database whose tables have been made by an earlier life of the object, for compiling what made them once more: to
 * make them again does nothing.
 */
export function withTablesMade(database: SqlDatabase): SqlDatabase {
  return {
    exec(sql) {
      try {
        database.exec(sql)
      } catch (cause) {
        if (!(cause instanceof SqlFailure) || !isThere(cause)) throw cause
      }
    },
    prepare: (sql) => database.prepare(sql),
    atomically: (work) => database.atomically(work),
    close: () => database.close(),
  }
}

function isThere({ code, message }: SqlFailure): boolean {
  return code === SQL_ERROR && message.includes("already exists")
}
