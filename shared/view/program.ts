import type { SqlDatabase, SqlRow, SqlValue } from "../sql.ts"

/*
 * What a statement does, as SQLite itself tells: EXPLAIN lists the program that it compiled the statement
 * into. All engines of this project list it alike, so one reading serves the browser, the edge and Node.
 * Columns of the list: address, opcode, p1, p2, p3, p4, p5, comment.
 */

/**
 * One function that a statement calls. Pure calls (in CHECKs and generated columns) refuse the time of day
 * themselves.
 */
export type FunctionCall = {
  readonly name: string
  /** How many arguments it is declared for: -1 for any number. */
  readonly arity: number
  readonly isPure: boolean
}

/** What a statement does to the database, by the names of tables as their CREATE TABLE wrote them. */
export type Program = {
  readonly reads: ReadonlySet<string>
  readonly writes: ReadonlySet<string>
  readonly calls: readonly FunctionCall[]
  /** Functions that make tables, such as `json_each`; `""` for one that is none of `FUNCTION_TABLES`. */
  readonly functionTables: ReadonlySet<string>
  /** Reads how `json_each` numbers what it finds, which is an affair of the build. */
  readonly readsJsonNumbers: boolean
  /** Asks an FTS5 table for what matches, or for a rank: an affair of the build as well. */
  readonly matches: boolean
  /** Touches what FTS5 keeps behind one of its tables. `reads` and `writes` name the table itself. */
  readonly usesShadows: boolean
  /** Reads a rowid, by whatever name. */
  readonly readsRowid: boolean
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
export type Catalog = {
  readonly pages: ReadonlyMap<number, { readonly table: string; readonly isShadow: boolean }>
  /** The tables that have no pages of their own: those of FTS5. */
  readonly virtual: readonly string[]
}

/** The catalogue table that SQLite keeps of everything else. */
export const SCHEMA_TABLE = "sqlite_schema"

const SCHEMA_ROOT = 1
const MAIN = 0
const CALLS = new Set(["Function", "PureFunc", "AggStep", "AggStep1", "AggInverse", "AggValue", "AggFinal"])
const ROLLBACK = 1
const FAIL = 3
/** The tables that a view may take from functions. */
const FUNCTION_TABLES = ["json_each", "json_tree"]
/** Their columns `id` and `parent`. */
const JSON_NUMBERS: readonly unknown[] = [4, 5]
/** How FTS5 notes in a plan that it looks for a match (M) or is given another rank (r). */
const MATCH = /[Mr]/
/** The tables that FTS5 keeps behind one of its own, by what stands behind its name. */
const SHADOW = /^(.+)_(?:data|idx|content|docsize|config)$/

export function readCatalog(database: SqlDatabase): Catalog {
  const rows = all(database, "SELECT type, name, tbl_name, rootpage FROM sqlite_schema").map(
    ([type, name, table, root]) => ({ type, name: String(name), table: String(table), root: Number(root) }),
  )
  const virtual = rows.filter(({ type, root }) => type === "table" && root === 0).map(({ name }) => name)
  const pages = new Map([[SCHEMA_ROOT, { table: SCHEMA_TABLE, isShadow: false }]])
  for (const { table, root } of rows) {
    if (root === 0) continue
    const owner = SHADOW.exec(table)?.[1]
    const isShadow = owner !== undefined && virtual.includes(owner)
    pages.set(root, { table: isShadow ? owner : table, isShadow })
  }
  return { pages, virtual }
}

/** Compiles one statement and reads its program. @throws SqlFailure when it does not compile. */
export function readProgram(database: SqlDatabase, catalog: Catalog, sql: string): Program {
  const lines = all(database, `EXPLAIN ${sql}`)
  const opcodes = new Set(lines.map(([, opcode]) => opcode))
  const { reads, writes, usesShadows } = pagesOf(lines, catalog)
  const calls = lines
    .filter(([, opcode]) => CALLS.has(String(opcode)))
    .map(([, opcode, , , , p4]) => ({ ...declaredAs(p4), isPure: opcode === "PureFunc" }))
  if (opcodes.has("Offset")) calls.push({ name: "sqlite_offset", arity: 1, isPure: false }) // a call that is an opcode
  const virtual = virtualUse(database, catalog, lines)
  return {
    reads: new Set([...reads, ...virtual.reads]),
    writes: new Set([...writes, ...virtual.writes]),
    calls,
    functionTables: virtual.functionTables,
    readsJsonNumbers: virtual.readsJsonNumbers,
    matches: virtual.matches,
    usesShadows,
    readsRowid: opcodes.has("Rowid") || opcodes.has("IdxRowid"),
    isWrite: opcodes.has("VUpdate") || lines.some(([, opcode, , p2]) => opcode === "Transaction" && p2 !== 0),
    answersRows: opcodes.has("ResultRow"),
    runsTriggers: opcodes.has("Program"),
    keepsPartsOnConflict: lines.some(([, opcode, p1, p2, , , p5]) =>
      opcode === "VUpdate"
        ? p5 === ROLLBACK || p5 === FAIL
        : /^Halt/.test(String(opcode)) && p1 !== 0 && (p2 === ROLLBACK || p2 === FAIL),
    ),
  }
}

function pagesOf(
  lines: readonly SqlRow[],
  catalog: Catalog,
): Pick<Program, "reads" | "writes" | "usesShadows"> {
  const reads = new Set<string>()
  const writes = new Set<string>()
  let usesShadows = false
  const note = (names: Set<string>, root: SqlValue | undefined, database: SqlValue | undefined): void => {
    const page = database === MAIN ? catalog.pages.get(Number(root)) : undefined
    usesShadows ||= page?.isShadow === true
    names.add(page?.table ?? `page ${String(root)} of database ${String(database)}`)
  }
  for (const [, opcode, p1, p2, p3] of lines) {
    if (opcode === "OpenRead" || opcode === "ReopenIdx") note(reads, p2, p3)
    else if (opcode === "OpenWrite") note(writes, p2, p3)
    else if (opcode === "Clear" || opcode === "Destroy") note(writes, p1, p2)
  }
  return { reads, writes, usesShadows }
}

type VirtualUse = Pick<Program, "reads" | "writes" | "functionTables" | "readsJsonNumbers" | "matches">

/**
 * What is done with tables that are made by code. Programs name them by where they are in memory, so they are
 * told apart by asking again, here and now, for the ones that are known.
 */
function virtualUse(database: SqlDatabase, catalog: Catalog, lines: readonly SqlRow[]): VirtualUse {
  const reads = new Set<string>()
  const writes = new Set<string>()
  const functionTables = new Set<string>()
  let [readsJsonNumbers, matches] = [false, false]
  const used = lines.filter(([, opcode]) => opcode === "VOpen" || opcode === "VUpdate")
  const known = new Map<SqlValue | undefined, string>()
  if (used.length > 0) {
    for (const name of [...FUNCTION_TABLES, ...catalog.virtual]) known.set(addressOf(database, name), name)
  }
  const opened = new Map<SqlValue | undefined, string>() // by the number of the cursor
  for (const [, opcode, p1, p2, , p4] of lines) {
    const name = known.get(p4)
    if (opcode === "VUpdate" && name !== undefined) writes.add(name)
    else if (opcode === "VOpen") {
      opened.set(p1, name ?? "")
      if (name !== undefined && catalog.virtual.includes(name)) reads.add(name)
      else functionTables.add(name ?? "")
    } else if (opcode === "VFilter") matches ||= reads.has(opened.get(p1) ?? "") && MATCH.test(String(p4))
    else if (opcode === "VColumn") {
      readsJsonNumbers ||= FUNCTION_TABLES.includes(opened.get(p1) ?? "") && JSON_NUMBERS.includes(p2)
    }
  }
  return { reads, writes, functionTables, readsJsonNumbers, matches }
}

/** Where a table that is made by code is in memory, as programs write it. */
function addressOf(database: SqlDatabase, name: string): SqlValue | undefined {
  const lines = all(database, `EXPLAIN SELECT 1 FROM "${name.replaceAll(`"`, `""`)}"`)
  return lines.find(([, opcode]) => opcode === "VOpen")?.[5]
}

/** `strftime(-1)` and the like. */
function declaredAs(p4: SqlValue | undefined): Pick<FunctionCall, "name" | "arity"> {
  const [, name = String(p4), arity = "-1"] = /^(.*)\((-?[0-9]+)\)$/.exec(String(p4)) ?? []
  return { name: name.toLowerCase(), arity: Number(arity) }
}

function all(database: SqlDatabase, sql: string): SqlRow[] {
  const statement = database.prepare(sql)
  try {
    return statement.all([])
  } finally {
    statement.finalize()
  }
}
