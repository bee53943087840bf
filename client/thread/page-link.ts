import { HeadwaterError } from "../../shared/errors.ts"
import type { Notice, Reply } from "../port.ts"

/** The page, as its thread has it: it is told things, and asked for tokens, since no function crosses to a thread. */
export class PageLink {
  readonly notify: (notice: Notice) => void
  readonly #questions = new Map<number, (token: Reply<string>) => void>()
  #count = 0

  constructor(notify: (notice: Notice) => void) {
    this.notify = notify
  }

  /** Rejects with what the app's function said when it has none. */
  readonly askForToken = (): Promise<string> => {
    const ask = ++this.#count
    return new Promise((resolve, reject) => {
      this.#questions.set(ask, (token) => {
        if (token.ok) resolve(token.value)
        else reject(HeadwaterError.fromData(token.error))
      })
      this.notify({ kind: "token-wanted", ask })
    })
  }

  /** The page's answer. A second one to the same question changes nothing. */
  answered(ask: number, token: Reply<string>): void {
    this.#questions.get(ask)?.(token)
    this.#questions.delete(ask)
  }
}
