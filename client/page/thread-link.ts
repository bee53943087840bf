import { type Remote, transfer, wrap } from "comlink"
import { HeadwaterError } from "../../shared/errors.ts"
import type { ProducerId } from "../../shared/ids.ts"
import {
  type EnginePort,
  type FollowedQuery,
  type LiveAnswer,
  NEXT,
  type Notice,
  type OpenOptions,
  type Reply,
  STOP,
  type ViewNumber,
} from "../port.ts"
import { startThread } from "./start-thread.ts"

/** A query that the thread follows for this page. */
export type FollowedAnswers = {
  /** The last answer is dealt with. */
  next(): void
  /** Nothing comes any more. Idempotent. */
  stop(): void
}

/** The page's end of the boundary: calls become promises of values or HeadwaterErrors, ports become callbacks. */
export class ThreadLink {
  readonly #worker: Worker
  readonly engine: Remote<EnginePort>
  /** How to tell those who wait for an answer that none will come. */
  readonly #waiting = new Set<(reason: unknown) => void>()
  #ended: { readonly reason: unknown } | undefined

  constructor(worker: Worker) {
    this.#worker = worker
    this.engine = wrap<EnginePort>(worker)
    worker.onerror = ({ message }) =>
      this.#end(new Error(`Headwater's thread failed: ${message ?? "it did not load"}`))
  }

  /** Starts a thread for this page. Rejects when the browser will not run it. */
  static async start(): Promise<ThreadLink> {
    return new ThreadLink(await startThread())
  }

  /** The value of a reply, or its error, or that of the thread's end. */
  ask<T>(answer: Promise<Reply<T>>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended.reason)
      this.#waiting.add(reject)
      const answered = (reply: Reply<T>) => {
        this.#waiting.delete(reject)
        if (reply.ok) resolve(reply.value)
        else reject(HeadwaterError.fromData(reply.error))
      }
      answer.then(answered, reject)
    })
  }

  open(options: OpenOptions, onNotice: (notice: Notice) => void): Promise<ProducerId> {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data }) => {
      const notice = data as Notice // the thread's end of the port sends nothing else
      try {
        onNotice(notice)
      } finally {
        if (notice.kind === "status") port1.postMessage(NEXT)
      }
    }
    return this.ask(this.engine.open(options, transfer(port2, [port2])))
  }

  /** Answers arrive until `stop`, the next one when the page has said `next`. */
  follow(view: ViewNumber, query: FollowedQuery, onAnswer: (answer: LiveAnswer) => void): FollowedAnswers {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data }) => onAnswer(data as LiveAnswer) // as above
    this.engine.live(view, query, transfer(port2, [port2])).then(
      (reply) => (reply.ok ? undefined : onAnswer(reply)),
      (reason: unknown) => this.#end(reason),
    )
    return {
      next: () => port1.postMessage(NEXT),
      stop: () => {
        port1.onmessage = null
        port1.postMessage(STOP)
        port1.close()
      },
    }
  }

  /** Calls when no answer comes any more, with the reason. Returns the way to stop. */
  onEnd(listener: (reason: unknown) => void): () => void {
    if (this.#ended !== undefined) listener(this.#ended.reason)
    else this.#waiting.add(listener)
    return () => void this.#waiting.delete(listener)
  }

  /** Ends the thread, whatever it is doing. Calls that wait for it reject with `closed`. */
  terminate(): void {
    this.#end(new HeadwaterError("closed", "The client is closed."))
    this.#worker.terminate()
  }

  #end(reason: unknown): void {
    this.#ended ??= { reason }
    for (const reject of this.#waiting) reject(reason)
    this.#waiting.clear()
  }
}
