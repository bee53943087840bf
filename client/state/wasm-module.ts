/*
 * Starts the official SQLite WASM build without the JavaScript that comes with it: that is 450 kB for files
 * in OPFS, workers and an object API, while a database in memory needs a clock, memory that can grow, and "no
 * such file" as the answer to everything else.
 */

/** The functions of the build that the state uses. Pointers are numbers, 64-bit integers are bigints. */
export type SqliteExports = {
  /** What SQLite calls back through. */
  readonly __indirect_function_table: WebAssembly.Table
  __wasm_call_ctors(): void
  sqlite3_initialize(): number
  sqlite3_malloc(bytes: number): number
  sqlite3_free(pointer: number): void
  sqlite3_open_v2(name: number, database: number, flags: number, vfs: number): number
  sqlite3_close_v2(database: number): number
  sqlite3_set_authorizer(database: number, callback: number, argument: number): number
  sqlite3_progress_handler(database: number, steps: number, callback: number, argument: number): void
  sqlite3_status(what: number, now: number, most: number, reset: number): number
  sqlite3_limit(database: number, limit: number, value: number): number
  sqlite3_exec(database: number, sql: number, callback: number, argument: number, message: number): number
  sqlite3_prepare_v2(database: number, sql: number, bytes: number, statement: number, tail: number): number
  sqlite3_finalize(statement: number): number
  sqlite3_step(statement: number): number
  sqlite3_reset(statement: number): number
  sqlite3_errmsg(database: number): number
  sqlite3_bind_parameter_count(statement: number): number
  sqlite3_bind_null(statement: number, position: number): number
  sqlite3_bind_int(statement: number, position: number, value: number): number
  sqlite3_bind_int64(statement: number, position: number, value: bigint): number
  sqlite3_bind_double(statement: number, position: number, value: number): number
  sqlite3_bind_text(statement: number, position: number, text: number, bytes: number, keep: number): number
  sqlite3_bind_blob(statement: number, position: number, blob: number, bytes: number, keep: number): number
  sqlite3_column_count(statement: number): number
  sqlite3_column_name(statement: number, column: number): number
  sqlite3_column_type(statement: number, column: number): number
  sqlite3_column_int64(statement: number, column: number): bigint
  sqlite3_column_double(statement: number, column: number): number
  sqlite3_column_text(statement: number, column: number): number
  sqlite3_column_blob(statement: number, column: number): number
  sqlite3_column_bytes(statement: number, column: number): number
  sqlite3_serialize(database: number, schema: number, size: number, flags: number): number
  sqlite3_deserialize(
    database: number,
    schema: number,
    image: number,
    size: bigint,
    room: bigint,
    flags: number,
  ): number
  sqlite3__wasm_db_config_ip(database: number, option: number, value: number, result: number): number
}

/** Where the build's `sqlite3.wasm` comes from. */
export type WasmSource = URL | Response | BufferSource | WebAssembly.Module

/** The running build and its memory. `bytes` is always a view of the memory as large as it is now. */
export type SqliteModule = { readonly api: SqliteExports; bytes: Uint8Array<ArrayBuffer> }

const PAGE_BYTES = 65_536
const INITIAL_PAGES = 128 // the build declares 8 MiB to begin with
const PAGES_MAX = 32_768 // and 2 GiB at most
const BYTES_MAX = PAGES_MAX * PAGE_BYTES
const STEP_BYTES_MAX = 64 * 1024 * 1024
const NOT_IMPLEMENTED = -52 // ENOSYS: SQLite takes it for a file system without files
const NANOSECONDS = 1_000_000

/** Compiles and starts the build. Rejects when the source cannot be read or is not that build. */
export async function startSqlite(source: WasmSource): Promise<SqliteModule> {
  const wasm = await compile(source)
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: PAGES_MAX })
  const viewOf = (): Uint8Array<ArrayBuffer> => new Uint8Array(memory.buffer as ArrayBuffer) // not shared
  const onGrow = (): void => {
    module.bytes = viewOf()
  }
  const { exports } = await WebAssembly.instantiate(wasm, importsOf(wasm, memory, onGrow))
  const api = exports as SqliteExports // the names and types of this build, pinned in package.json
  const module: SqliteModule = { api, bytes: viewOf() }
  api.__wasm_call_ctors()
  const code = api.sqlite3_initialize()
  if (code !== 0) throw new Error(`SQLite did not start: code ${code}`)
  return module
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source
  if (source instanceof URL) return compile(await fetch(source))
  if (!(source instanceof Response)) return WebAssembly.compile(source)
  if (!source.ok) throw new Error(`${source.url} answered ${source.status} instead of SQLite's WASM build`)
  const isWasm = source.headers.get("content-type")?.startsWith("application/wasm") === true
  return isWasm ? WebAssembly.compileStreaming(source) : WebAssembly.compile(await source.arrayBuffer())
}

/**
 * Every function the build asks for: those it needs for a database in memory, and a refusal for all others.
 */
function importsOf(
  wasm: WebAssembly.Module,
  memory: WebAssembly.Memory,
  onGrow: () => void,
): WebAssembly.Imports {
  const known: Record<string, WebAssembly.ImportValue> = {
    memory,
    ...clock(memory),
    ...growth(memory, onGrow),
  }
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {}
  for (const { module, name } of WebAssembly.Module.imports(wasm)) {
    const namespace = imports[module] ?? {}
    imports[module] = namespace
    namespace[name] = known[name] ?? (() => NOT_IMPLEMENTED)
  }
  return imports
}

/** Time for queries that ask for it; folds cannot. `localtime` is UTC here, as it is at the edge. */
function clock(memory: WebAssembly.Memory): Record<string, WebAssembly.ImportValue> {
  return {
    emscripten_date_now: () => Date.now(),
    emscripten_get_now: () => performance.now(),
    clock_time_get(_clock: number, _precision: bigint, result: number) {
      const nanoseconds = BigInt(Math.round(Date.now() * NANOSECONDS))
      new DataView(memory.buffer).setBigUint64(result, nanoseconds, true)
      return 0
    },
    _tzset_js: () => undefined,
    _localtime_js(seconds: bigint, result: number) {
      writeUtc(new Int32Array(memory.buffer, result, 10), new Date(Number(seconds) * 1000))
    },
  }
}

/**
 * Fills C's `struct tm`: seconds, minutes, hours, day, month, years since 1900, day of week and of year, DST,
 * offset.
 */
function writeUtc(tm: Int32Array, date: Date): void {
  const year = date.getUTCFullYear()
  const day = Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000)
  const clockFields = [date.getUTCSeconds(), date.getUTCMinutes(), date.getUTCHours()]
  tm.set([...clockFields, date.getUTCDate(), date.getUTCMonth(), year - 1900, date.getUTCDay(), day, 0, 0])
}

function growth(memory: WebAssembly.Memory, onGrow: () => void): Record<string, WebAssembly.ImportValue> {
  return {
    emscripten_get_heap_max: () => BYTES_MAX,
    /** Answers whether it worked; SQLite reports `out of memory` when it did not. */
    emscripten_resize_heap(bytes: number) {
      const have = memory.buffer.byteLength
      const least = bytes >>> 0
      if (least > BYTES_MAX) return 0
      // By doubling, and by 64 MiB once it is large: few steps, little to spare.
      const wanted = Math.min(Math.max(least, Math.min(have * 2, have + STEP_BYTES_MAX)), BYTES_MAX)
      const pages = Math.ceil((wanted - have) / PAGE_BYTES)
      try {
        memory.grow(pages)
      } catch {
        return 0 // the browser grants no more
      }
      onGrow()
      return 1
    },
  }
}
