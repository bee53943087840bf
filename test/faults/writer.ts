import type { Logged } from "./recorder.ts"

/** Somebody else who appends to a stream, straight at the edge. */
export class Writer {
  readonly #stream: string
  readonly #author: string
  #n = 0

  constructor(stream: string, author: string) {
    this.#stream = stream
    this.#author = author
  }

  async append(count: number): Promise<void> {
    const headers = { "content-type": "application/json" }
    if (this.#n === 0) await fetch(this.#stream, { method: "PUT", headers })
    const events = Array.from({ length: count }, () => this.#event())
    const answer = await fetch(this.#stream, { method: "POST", headers, body: JSON.stringify(events) })
    if (!answer.ok) throw new Error(`The edge answered ${answer.status}.`)
  }

  #event(): Logged & object {
    const data = { author: this.#author, n: this.#n++, filler: "" }
    const attributes = { type: "line.added", source: this.#author, time: new Date().toISOString() }
    return { id: crypto.randomUUID(), ...attributes, data }
  }
}
