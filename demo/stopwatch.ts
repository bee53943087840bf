import type { QueryParameters, Receipt, View } from "headwater"
import type { Board } from "./board.ts"

/** A figure that is not there yet is still being waited for. */
export type Measured = {
  readonly id: number
  readonly action: string
  readonly events: number
  readonly shownMs?: number
  readonly storedMs?: number
  readonly confirmedMs?: number
  /** Why it will not go on, in words. */
  readonly failure?: string
}

/** A query that has rows as soon as an action can be seen. */
export type Proof = { readonly sql: string; readonly params: QueryParameters }

const KEPT = 6

/** Takes the time of actions: from just before the first append until they are painted, stored and confirmed. */
export class Stopwatch {
  readonly #view: View
  readonly #board: Board
  readonly #tell: (measured: readonly Measured[]) => void
  #measured: readonly Measured[] = []
  #ids = 0

  constructor(view: View, board: Board, tell: (measured: readonly Measured[]) => void) {
    this.#view = view
    this.#board = board
    this.#tell = tell
  }

  /**
   * Resolves when everything is stored.
   *
   * @param append Appends in one task, and gives what each append gives.
   * @throws what the first append that failed threw.
   */
  async time(action: string, proof: Proof, append: () => Promise<Receipt>[]): Promise<void> {
    const id = ++this.#ids
    let stop = () => {}
    const visible = new Promise<void>((resolve) => {
      stop = this.#view.live(proof.sql, proof.params, (rows) => rows.length > 0 && resolve())
    })
    const start = performance.now()
    const elapsed = () => performance.now() - start
    const appended = append()
    this.#put({ id, action, events: appended.length })
    void visible.then(async () => {
      stop()
      await this.#board.painted()
      this.#add(id, { shownMs: elapsed() })
    })
    try {
      const receipts = await Promise.all(appended)
      this.#add(id, { storedMs: elapsed() })
      void Promise.all(receipts.map(({ confirmed }) => confirmed)).then(
        () => this.#add(id, { confirmedMs: elapsed() }),
        (error: unknown) => this.#add(id, { failure: String(error) }),
      )
    } catch (error) {
      stop()
      this.#add(id, { failure: "refused" })
      throw error
    }
  }

  #put(measured: Measured): void {
    this.#measured = [measured, ...this.#measured].slice(0, KEPT)
    this.#tell(this.#measured)
  }

  #add(id: number, figures: Partial<Measured>): void {
    this.#measured = this.#measured.map((one) => (one.id === id ? { ...one, ...figures } : one))
    this.#tell(this.#measured)
  }
}
