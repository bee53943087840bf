import { HeadwaterError } from "../../shared/errors.ts"
import type { Notice, Reply } from "../port.ts"

/** The page, as its thread has it: it is told things, and asked for tokens, since no function crosses to a thread. */
export class PageLink {
  readonly #post: (notice: Notice) => void
  #isBusy = false
  /** The newest status that a busy page has not been told. */
  #status: Notice | undefined
  readonly #questions = new Map<number, (token: Reply<string>) => void>()
  #count = 0

  constructor(post: (notice: Notice) => void) {
    this.#post = post
  }

  /** A page that is busy with a status gets the newest one next, and none of those between. */
  readonly notify = (notice: Notice): void => {
    if (notice.kind !== "status") return this.#post(notice)
    if (this.#isBusy) this.#status = notice
    else this.#tell(notice)
  }

  /** The page is done with the last status. */
  next(): void {
    this.#isBusy = false
    if (this.#status !== undefined) this.#tell(this.#status)
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

  #tell(status: Notice): void {
    this.#isBusy = true
    this.#status = undefined
    this.#post(status)
  }

  /** The page's answer. A second one to the same question changes nothing. */
  answered(ask: number, token: Reply<string>): void {
    this.#questions.get(ask)?.(token)
    this.#questions.delete(ask)
  }
}
