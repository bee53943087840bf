import { assert } from "../../shared/assert.ts"
import type { FrameBody } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { Caller } from "../access/caller.ts"

import type { ForkRecord } from "./fork-record.ts"

export type SqlValue = null | number | string | ArrayBuffer | Uint8Array

export type SqlRow = Readonly<Record<string, SqlValue>>

/**
 * Everything that a stream cannot work out for itself. A Durable Object is one such host; a database in
 * memory with simulated sockets is another.
 */
export interface StreamHost {
  /** Names the stream among all whose segments share a store. Fit for a key. */
  readonly name: string
  readonly bounds: Bounds
  /** Whether there is a store for segments. */
  readonly seals: boolean
  now(): Millis
  /** Runs one statement. Rows are read as they are asked for, and only until the next statement. */
  exec(sql: string, ...values: SqlValue[]): Iterable<SqlRow>
  /** Runs `work`, which does not await. When it throws, what it wrote is undone and the error goes on. */
  transact<T>(work: () => T): T
  /** The sockets that are open. Each has been sent everything up to the tail whenever no work is running. */
  readers(): Iterable<Reader>
  /**
   * Asks for `expire` to be called at that time or soon after. It may be called sooner, for somebody else who
   * shares the alarm: then what is due is nothing, and it asks again.
   */
  wakeAt(at: Millis): void
  /** What the stream holds is something else now: it was made, has grown, was closed, or is gone. Does not wait. */
  changed(): void
  /** Tells the source of a fork that is no more, if it can be reached: else the source looks for itself some time. */
  letGo(fork: ForkRecord): void
}

/** One socket. The same socket is the same object for as long as work runs. */
export interface Reader {
  /** Who holds it. */
  readonly caller: Caller
  /** Never throws: a socket that is gone takes nothing, and its client reads again from where it was. */
  send(frame: FrameBody): void
  close(code: number, reason: string): void
}

/** A column that holds whole numbers. */
export function wholeIn(value: SqlValue | undefined): number {
  assert(typeof value === "number", "a column of numbers holds numbers")
  return value
}

/** A column that holds text. */
export function textIn(value: SqlValue | undefined): string {
  assert(typeof value === "string", "a column of text holds text")
  return value
}

/** A column that holds bytes. */
export function bytesIn(value: SqlValue | undefined): Uint8Array {
  assert(value instanceof ArrayBuffer || value instanceof Uint8Array, "a column of bytes holds bytes")
  return value instanceof Uint8Array ? value : new Uint8Array(value)
}
