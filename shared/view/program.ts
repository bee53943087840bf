import type { SqlDatabase, SqlRow } from "../sql.ts"

/*
 * What a statement does, as SQLite itself tells: EXPLAIN lists the program that it compiled the statement
 * into. All engines of this project list it alike, so one reading serves the browser, the edge and Node.
 * Columns of the list: address, opcode, p1, p2, p3, p4, p5, comment.
 */

/**
 * One function that a statement calls. Pure calls (in CHECKs and generated columns) refuse the time of day
 * themselves.
 */
export type FunctionCall = { readonly name: string; readonly isPure: boolean }

/** What a statement does to the database, by the names of tables as their CREATE TABLE wrote them. */
export type Program = {
  readonly reads: ReadonlySet<string>
  readonly writes: ReadonlySet<string>
  readonly calls: readonly FunctionCall[]
  /** Reads a table that is made by a function, such as `json_each`. The program does not say which. */
  readonly readsVirtualTable: boolean
  /** Begins a write transaction, so it may change something even when `writes` is empty. */
  readonly isWrite: boolean
  /** Answers rows, as a query does and RETURNING makes others do. */
  readonly answersRows: boolean
  /** Runs triggers or foreign key actions. */
  readonly runsTriggers: boolean
  /** On a conflict it would end the transaction, or keep the rows it has already changed. */
  readonly keepsPartsOnConflict: boolean
}

/** Which table the pages of a database belong to. An index's pages belong to its table. */
export type Catalog = ReadonlyMap<number, string>

/** The catalogue table that SQLite keeps of everything else. */
export const SCHEMA_TABLE = "sqlite_schema"

const SCHEMA_ROOT = 1
const MAIN = 0
const CALLS = new Set(["Function", "PureFunc", "AggStep", "AggStep1", "AggInverse", "AggValue", "AggFinal"])
const ROLLBACK = 1
const FAIL = 3

export function readCatalog(database: SqlDatabase): Catalog {
  const catalog = new Map([[SCHEMA_ROOT, SCHEMA_TABLE]])
  for (const [root, table] of all(
    database,
    "SELECT rootpage, tbl_name FROM sqlite_schema WHERE rootpage > 0",
  )) {
    catalog.set(Number(root), String(table))
  }
  return catalog
}

/** Compiles one statement and reads its program. @throws SqlFailure when it does not compile. */
export function readProgram(database: SqlDatabase, catalog: Catalog, sql: string): Program {
  const lines = all(database, `EXPLAIN ${sql}`)
  const opcodes = new Set(lines.map(([, opcode]) => opcode))
  const reads = new Set<string>()
  const writes = new Set<string>()
  const calls: FunctionCall[] = []
  for (const [, opcode, p1, p2, p3, p4] of lines) {
    const name = String(opcode)
    if (name === "OpenRead" || name === "ReopenIdx") reads.add(tableAt(catalog, p2, p3))
    else if (name === "OpenWrite") writes.add(tableAt(catalog, p2, p3))
    else if (name === "Clear" || name === "Destroy") writes.add(tableAt(catalog, p1, p2))
    else if (CALLS.has(name)) calls.push({ name: functionName(p4), isPure: name === "PureFunc" })
  }
  return {
    reads,
    writes,
    calls,
    readsVirtualTable: opcodes.has("VOpen"),
    isWrite: opcodes.has("VUpdate") || lines.some(([, opcode, , p2]) => opcode === "Transaction" && p2 !== 0),
    answersRows: opcodes.has("ResultRow"),
    runsTriggers: opcodes.has("Program"),
    keepsPartsOnConflict: lines.some(
      ([, opcode, p1, p2]) => /^Halt/.test(String(opcode)) && p1 !== 0 && (p2 === ROLLBACK || p2 === FAIL),
    ),
  }
}

function tableAt(
  catalog: Catalog,
  root: SqlRow[number] | undefined,
  database: SqlRow[number] | undefined,
): string {
  const table = database === MAIN ? catalog.get(Number(root)) : undefined
  return table ?? `page ${String(root)} of database ${String(database)}`
}

/** `strftime(-1)` and the like: the number is how many arguments the function was declared with. */
function functionName(p4: SqlRow[number] | undefined): string {
  return String(p4)
    .replace(/\(-?[0-9]+\)$/, "")
    .toLowerCase()
}

function all(database: SqlDatabase, sql: string): SqlRow[] {
  const statement = database.prepare(sql)
  try {
    return statement.all([])
  } finally {
    statement.finalize()
  }
}
