import type { Reply } from "../../client/port.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { Owner } from "./disk.ts"
import { Pipe } from "./pipe.ts"
import type { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

const HOP_MS = 0.05

/** The way between a page and its thread: messages in order, each a turn of its own. The dead hear nothing. */
export class ThreadLink {
  readonly #owner: Owner
  readonly #toThread: Pipe
  readonly #toPage: Pipe

  constructor(owner: Owner, scheduler: Scheduler, random: Random) {
    this.#owner = owner
    this.#toThread = new Pipe(scheduler, random, HOP_MS)
    this.#toPage = new Pipe(scheduler, random, HOP_MS)
  }

  /** The value of the thread's reply, or its error. */
  async ask<T>(call: () => Promise<Reply<T>>): Promise<T> {
    return taken(await this.askFor(call))
  }

  /** What several calls in one turn of the thread come to. */
  askFor<T>(call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#toThread.send(`${this.#owner.name} asks`, () => {
        this.#owner.turn(() => {
          call().then(
            (value) => this.tell(() => resolve(value)),
            (error: unknown) => this.tell(() => reject(error)),
          )
        })
      })
    })
  }

  /** The thread says something to the page. */
  tell(hear: () => void): void {
    this.#toPage.send(`${this.#owner.name} hears`, () => {
      this.#owner.turn(hear)
    })
  }
}

export function taken<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value
  throw HeadwaterError.fromData(reply.error)
}
