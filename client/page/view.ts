import { HeadwaterError } from "../../shared/errors.ts"
import type { QueryParameters } from "../../shared/view/query.ts"
import type { Row } from "../state/live-queries.ts"
import type { ThreadLink } from "./thread-link.ts"

/** A view's tables, as they follow from all events that this device has: confirmed ones, and its own pending on top. */
export class View {
  readonly #link: ThreadLink
  readonly #number: number

  /** Made by `client.view`. */
  constructor(link: ThreadLink, number: number) {
    this.#link = link
    this.#number = number
  }

  /**
   * Answers one SELECT. `R` is the caller's word for the columns.
   *
   * @throws HeadwaterError `invalid-query` when the SQL does not compile against the view's tables or would write.
   */
  async query<R extends Row = Row>(sql: string, params: QueryParameters = []): Promise<R[]> {
    return (await this.#link.ask(this.#link.engine.query(this.#number, sql, params))) as R[] // as the caller says
  }

  /**
   * Calls `onRows` with the answer now and again whenever it has changed: after each append of this device before it
   * is stored, and after each event that arrives. Returns the way to stop; calling it twice is fine.
   *
   * @param onError Hears `invalid-query`. Without it the error is thrown where the browser reports unhandled ones.
   */
  live<R extends Row = Row>(
    sql: string,
    params: QueryParameters,
    onRows: (rows: R[]) => void,
    onError: (error: unknown) => void = reportUnhandled,
  ): () => void {
    return this.#link.live(this.#number, sql, params, (answer) => {
      if (answer.ok)
        onRows(answer.value as R[]) // as the caller says
      else onError(HeadwaterError.fromData(answer.error))
    })
  }
}

function reportUnhandled(error: unknown): void {
  reportError(error)
}
