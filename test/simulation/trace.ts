/** A promise that was not kept. `rule` is its number where the promises are listed. */
export class Violation extends Error {
  override readonly name = "Violation"
  readonly rule: string

  constructor(rule: string, message: string) {
    super(message)
    this.rule = rule
  }
}

/** How many lines are kept for showing what led to a violation. */
const LINES_KEPT = 60

/** What happened, line by line: the end of it for people, all of it as one number for comparing runs. */
export class Trace {
  readonly #lines: string[] = []
  readonly #all: ((line: string) => void) | undefined
  readonly #faults = new Map<string, number>()
  #high = 0xdeadbeef
  #low = 0x41c6ce57
  #now = 0
  steps = 0
  violation: Violation | undefined

  /** @param all Hears every line. */
  constructor(all?: (line: string) => void) {
    this.#all = all
  }

  /** A task of the scheduler runs. */
  step(now: number, label: string): void {
    this.steps++
    this.#now = now
    this.note(label)
  }

  note(text: string): void {
    const line = `${this.#now.toFixed(3).padStart(12)} ${text}`
    for (let at = 0; at < line.length; at++) {
      this.#high = Math.imul(this.#high ^ line.charCodeAt(at), 2654435761)
      this.#low = Math.imul(this.#low ^ line.charCodeAt(at), 1597334677)
    }
    this.#lines.push(line)
    if (this.#lines.length > 2 * LINES_KEPT) this.#lines.splice(0, LINES_KEPT)
    this.#all?.(line)
  }

  fault(name: string, detail = ""): void {
    this.#faults.set(name, (this.#faults.get(name) ?? 0) + 1)
    this.note(`fault ${name} ${detail}`)
  }

  /** Something broke a promise. The first is kept: what follows is mostly its echo. */
  violated(rule: string, message: string): void {
    this.violation ??= new Violation(rule, message)
    this.note(`VIOLATION ${rule}: ${message}`)
  }

  /** Code of ours threw where nothing was to be thrown. */
  bug(error: unknown): void {
    if (error instanceof Violation) return this.violated(error.rule, error.message)
    this.violated("BUG", error instanceof Error ? (error.stack ?? error.message) : String(error))
  }

  get faults(): ReadonlyMap<string, number> {
    return this.#faults
  }

  get lastLines(): readonly string[] {
    return this.#lines.slice(-LINES_KEPT)
  }

  get hash(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("")
  }
}
