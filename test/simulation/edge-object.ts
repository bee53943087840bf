import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import type { AppendClaim } from "../../shared/append.ts"
import type { Reply } from "../../shared/append-reply.ts"
import { parseBatch } from "../../shared/batch.ts"
import { good } from "../../shared/decoded.ts"
import { decodeClientFrame, encodeEdgeFrame, type FrameData } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { START } from "../../shared/offset.ts"
import { httpBody } from "../../worker/stream/append-body.ts"
import { AppendQueue } from "../../worker/stream/append-queue.ts"
import type { CreateClaim, CreateOutcome } from "../../worker/stream/create.ts"
import type { StreamCore } from "../../worker/stream/stream-core.ts"
import type { Reader, SqlRow, SqlValue, StreamHost } from "../../worker/stream/stream-host.ts"
import type { Inherited, Page, ReadAsk, ReadFault, Sealed } from "../../worker/stream/stream-reads.ts"
import type { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

export type ObjectParts = {
  readonly scheduler: Scheduler
  readonly random: Random
  now(): Millis
  /** Makes the stream's core for a host; a mutant makes another. */
  core(host: StreamHost): StreamCore
  /** Whether what is said waits until what it says is on disk. */
  readonly gated: boolean
  /** Why a message is refused for good, if it is. */
  guard(message: unknown): string | undefined
}

/** How long the storage takes to make a write last, and an object to be reached from the front. */
const FLUSH_MS = 3
const CALL_MS = 0.4

/**
 * One stream's object as the platform runs it: the production core on SQLite, behind an output gate. What it has
 * written lasts a little later; until then nothing that it says leaves it, and if it dies before, neither happened.
 */
export class EdgeObject {
  readonly #parts: ObjectParts
  readonly #sql = new DatabaseSync(":memory:")
  readonly #statements = new Map<string, StatementSync>()
  readonly #readers = new Set<Reader>()
  #core!: StreamCore
  #queue!: AppendQueue
  #life = 0
  #isGateClosed = false
  #held: (() => void)[] = []
  /** How those are told that wait for an answer which died with the object. */
  readonly #callers = new Set<() => void>()
  #confirmed: unknown[] = []

  constructor(parts: ObjectParts) {
    this.#parts = parts
    this.#wake()
  }

  /** All messages that last, in the stream's order. */
  get log(): readonly unknown[] {
    return this.#confirmed
  }

  create(claim: CreateClaim, body: Uint8Array<ArrayBuffer>): Promise<CreateOutcome> {
    return this.#call(() => this.#core.create(claim, httpBody(body)))
  }

  append(claim: AppendClaim, body: Uint8Array<ArrayBuffer>): Promise<Reply> {
    return this.#call(() => this.#queue.append({ claim: good(claim), body: httpBody(body) }))
  }

  read(ask: ReadAsk): Promise<Page | Sealed | Inherited | ReadFault> {
    return this.#call(() => this.#core.read(ask))
  }

  /** At once, outside the simulated world. */
  readNow(offset: string): Page | Sealed | Inherited | ReadFault {
    return this.#core.read({ offset })
  }

  connect(reader: Reader, offset: string): void {
    this.#readers.add(reader)
    this.#core.connect(reader, offset)
  }

  receive(reader: Reader, frame: FrameData): void {
    if (this.#readers.has(reader) && this.#isGuardedFrom(reader, frame)) return
    const ask = this.#readers.has(reader) ? this.#core.asked(reader, frame) : undefined
    if (ask !== undefined) void this.#queue.append(ask)
  }

  disconnect(reader: Reader): void {
    this.#readers.delete(reader)
  }

  /** Says something to the outside as soon as the gate is open. */
  output(say: () => void): void {
    if (this.#isGateClosed && this.#parts.gated) this.#held.push(say)
    else say()
  }

  /** Whether it was refused for what it holds. Nothing of it is in the log then, nor will be. */
  #isGuardedFrom(reader: Reader, data: FrameData): boolean {
    const frame = decodeClientFrame(data)
    if (!frame.ok) return false
    const { id, body } = frame.value
    const [message] = parseBatch(String(body)).flatMap((each) => this.#parts.guard(each) ?? [])
    if (message === undefined) return false
    this.output(() => reader.send(encodeEdgeFrame({ t: "reply", id, status: 422, headers: {}, message })))
    return true
  }

  /** The memory goes, the sockets stay: hibernation. The platform does it between two turns only. */
  evict(): void {
    if (!this.#isGateClosed) this.#wake()
  }

  /** The process is gone: memory, sockets and what did not last yet. */
  crash(): void {
    this.#life++
    if (this.#isGateClosed) this.#sql.exec("ROLLBACK TO gate; RELEASE gate")
    this.#isGateClosed = false
    this.#held = []
    this.#readers.clear()
    this.#wake()
    for (const fail of this.#callers) fail()
    this.#callers.clear()
  }

  close(): void {
    this.#sql.close()
  }

  /** A call from the front: it gets there a little later, and fails when the object dies before it has answered. */
  #call<T>(work: () => T | Promise<T>): Promise<T> {
    const { scheduler, random } = this.#parts
    const life = this.#life
    const died = Object.assign(new Error("The object was reset."), { retryable: true })
    return new Promise((resolve, reject) => {
      scheduler.after(random.delay(CALL_MS), "object called", () => {
        if (life !== this.#life) return reject(died)
        const fail = () => reject(died)
        this.#callers.add(fail)
        const answer = (result: T) =>
          this.output(() => {
            this.#callers.delete(fail)
            resolve(result)
          })
        const result = work()
        if (result instanceof Promise) result.then(answer, reject)
        else answer(result)
      })
    })
  }

  #wake(): void {
    const core = this.#parts.core({
      name: "simulated",
      bounds: LIMITS,
      seals: false,
      letGo: () => undefined, // nobody forks in this world
      changed: () => undefined, // and no view is folded at its edge
      now: () => this.#parts.now(),
      exec: (sql, ...values) => this.#exec(sql, values),
      transact: (work) => this.#transact(work),
      readers: () => [...this.#readers],
      wakeAt: (at) =>
        void this.#parts.scheduler.after(at - this.#parts.now(), "alarm", () => this.#core.expire()),
    })
    this.#core = core
    this.#queue = new AppendQueue({
      bounds: LIMITS,
      appendAll: (asks) => core.appendAll(asks),
      flushed: () => new Promise((resolve) => this.output(resolve)),
    })
  }

  #exec(sql: string, values: readonly SqlValue[]): SqlRow[] {
    if (!/^\s*SELECT/i.test(sql)) this.#closeGate()
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#sql.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement.all(...(values as SQLInputValue[])) as SqlRow[] // the log of JSON binds no buffers
  }

  #transact<T>(work: () => T): T {
    this.#closeGate()
    this.#sql.exec("SAVEPOINT work")
    try {
      const result = work()
      this.#sql.exec("RELEASE work")
      return result
    } catch (error) {
      this.#sql.exec("ROLLBACK TO work; RELEASE work")
      throw error
    }
  }

  #closeGate(): void {
    if (this.#isGateClosed) return
    this.#isGateClosed = true
    this.#sql.exec("SAVEPOINT gate")
    const life = this.#life
    const { scheduler, random } = this.#parts
    scheduler.after(random.delay(FLUSH_MS), "object flushed", () => {
      if (life === this.#life) this.#openGate()
    })
  }

  #openGate(): void {
    this.#sql.exec("RELEASE gate")
    this.#isGateClosed = false
    this.#confirmed = this.#messages()
    for (const say of this.#held.splice(0)) say()
  }

  #messages(): unknown[] {
    const rows = this.#exec("SELECT body FROM batches WHERE first >= ? ORDER BY first", [
      this.#confirmed.length,
    ])
    return [...this.#confirmed, ...rows.flatMap((row) => parseBatch(String(row.body)))]
  }
}

/** Everything that a stream's readers would be given from its start on, read page by page. */
export function readAll(
  object: EdgeObject,
): { readonly page: Page; readonly messages: readonly unknown[] }[] {
  const pages: { page: Page; messages: unknown[] }[] = []
  for (let offset: string = START; ; ) {
    const page = object.readNow(offset)
    if (page.kind !== "page") return pages
    pages.push({ page, messages: JSON.parse(new TextDecoder().decode(page.body)) })
    if (page.upToDate) return pages
    offset = page.next
  }
}
