import { SqlFailure } from "../../shared/sql.ts"
import type { SqliteExports, SqliteModule } from "./wasm-module.ts"

const SCRATCH_BYTES = 65_536
const OUT_OF_MEMORY = 7
const UTF8_BYTES_MAX = 3 // for one UTF-16 unit
const COPIED_BY_HAND_MAX = 48 // below this a loop over ASCII beats a call of the encoder
const STATIC = 0
const TRANSIENT = -1

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** The way of texts and blobs into and out of SQLite's memory. */
export class WasmMemory {
  readonly api: SqliteExports
  readonly #module: SqliteModule
  /**
   * Holds the texts of one run. SQLite copies what it keeps while it runs, so the next run writes over them.
   */
  readonly #scratch: number
  #used = 0

  constructor(module: SqliteModule) {
    this.#module = module
    this.api = module.api
    this.#scratch = this.allocate(SCRATCH_BYTES)
  }

  /** Must come before the first `bindText` of a run. */
  startRun(): void {
    this.#used = 0
  }

  bindText(statement: number, position: number, text: string): void {
    if (text.length * UTF8_BYTES_MAX > SCRATCH_BYTES - this.#used) {
      this.#withCopy(encoder.encode(text), (pointer, length) =>
        this.api.sqlite3_bind_text(statement, position, pointer, length, TRANSIENT),
      )
      return
    }
    const pointer = this.#scratch + this.#used
    const length = this.#write(text, pointer)
    this.#used += length
    this.api.sqlite3_bind_text(statement, position, pointer, length, STATIC)
  }

  bindBlob(statement: number, position: number, blob: Uint8Array): void {
    this.#withCopy(blob, (pointer, length) =>
      this.api.sqlite3_bind_blob(statement, position, pointer, length, TRANSIENT),
    )
  }

  /** Calls `use` with the text, zero-terminated, for as long as the call lasts. */
  withText<T>(text: string, use: (pointer: number, length: number) => T): T {
    return this.#withCopy(encoder.encode(text), use)
  }

  /** Calls `use` with room for a pointer and returns the pointer that was left there. */
  pointerFrom(use: (room: number) => void): number {
    use(this.#scratch)
    return new DataView(this.#module.bytes.buffer).getUint32(this.#scratch, true)
  }

  /** What `use` answers, and the 64-bit length that it wrote. */
  measured(use: (room: number) => number): { readonly pointer: number; readonly length: number } {
    const pointer = use(this.#scratch)
    const length = new DataView(this.#module.bytes.buffer).getBigInt64(this.#scratch, true)
    return { pointer, length: Number(length) }
  }

  /** A copy that SQLite may call its own. */
  copyOf(content: Uint8Array): number {
    const pointer = this.allocate(content.length)
    this.#module.bytes.set(content, pointer)
    return pointer
  }

  /** A 32-bit number. */
  readNumber(pointer: number): number {
    return new DataView(this.#module.bytes.buffer).getInt32(pointer, true)
  }

  readText(pointer: number, length: number): string {
    return decoder.decode(this.#module.bytes.subarray(pointer, pointer + length))
  }

  readBlob(pointer: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#module.bytes.slice(pointer, pointer + length)
  }

  /** A text of SQLite's own, which ends with a zero byte. */
  readName(pointer: number): string {
    return this.readText(pointer, this.#module.bytes.indexOf(0, pointer) - pointer)
  }

  /** @throws SqlFailure when there is none. */
  allocate(bytes: number): number {
    const pointer = this.api.sqlite3_malloc(bytes)
    if (pointer === 0) throw new SqlFailure(OUT_OF_MEMORY, "out of memory")
    return pointer
  }

  #write(text: string, pointer: number): number {
    const { bytes } = this.#module
    const units = text.length
    if (units <= COPIED_BY_HAND_MAX) {
      let at = 0
      for (; at < units; at++) {
        const unit = text.charCodeAt(at)
        if (unit >= 0x80) break
        bytes[pointer + at] = unit
      }
      if (at === units) return units
    }
    return encoder.encodeInto(text, bytes.subarray(pointer, pointer + units * UTF8_BYTES_MAX)).written
  }

  #withCopy<T>(content: Uint8Array, use: (pointer: number, length: number) => T): T {
    const pointer = this.allocate(content.length + 1)
    this.#module.bytes.set(content, pointer)
    this.#module.bytes[pointer + content.length] = 0
    try {
      return use(pointer, content.length)
    } finally {
      this.api.sqlite3_free(pointer)
    }
  }
}
