import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import type { ErrorData } from "../../shared/errors.ts"
import { FIRST_WATCH, isStalled, type Watch, watch } from "../../shared/stall.ts"
import type { Host } from "../host.ts"
import type { LiveSocket } from "./live-socket.ts"

/** What a connection is to bring to the edge. */
export type Load = {
  /** A batch is in flight. */
  readonly isUnderWay: boolean
  /** The edge has asked to wait with it. */
  readonly isHeldBack: boolean
}

/** Looks after a connection for as long as it has something to bring to the edge. */
export class StallWatch {
  readonly #host: Pick<Host, "after">
  readonly #load: Load
  readonly #stalled: () => void
  #socket: LiveSocket | undefined
  #outcomes = 0
  #error: ErrorData | undefined
  #stopTimer: (() => void) | undefined

  /** @param stalled Called when there is no progress for too long; `error` says so, and the watch has ended. */
  constructor(host: Pick<Host, "after">, load: Load, stalled: () => void) {
    this.#host = host
    this.#load = load
    this.#stalled = stalled
  }

  /** Why the last connection was given up that lived, until something comes of what waits. */
  get error(): ErrorData | undefined {
    return this.#load.isUnderWay ? this.#error : undefined
  }

  /** A connection is open. */
  begin(socket: LiveSocket): void {
    this.#socket = socket
    this.loaded()
  }

  /** There may be something to bring. */
  loaded(): void {
    if (this.#socket !== undefined && this.#stopTimer === undefined) this.#look(this.#socket, FIRST_WATCH)
  }

  /** The edge has judged something of what waits. */
  progressed(): void {
    this.#outcomes++
    this.#error = undefined
  }

  /** The connection is no more. */
  end(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#socket = undefined
  }

  #look(socket: LiveSocket, before: Watch): void {
    this.#stopTimer = this.#host.after(COMMON_LIMITS.stallLookMs, () => {
      this.#stopTimer = undefined
      if (!this.#load.isUnderWay) return
      const seen = watch(before, this.#standing(socket), COMMON_LIMITS.stallLookMs)
      if (isStalled(seen)) this.#giveUp()
      else this.#look(socket, seen)
    })
  }

  #standing(socket: LiveSocket) {
    return {
      isHeldBack: this.#load.isHeldBack,
      isLineInDoubt: socket.isInDoubt,
      outcomes: this.#outcomes,
      buffered: socket.buffered(),
    }
  }

  #giveUp(): void {
    const message = `The edge answered, and took nothing of what waits for ${COMMON_LIMITS.stallMsMax / 1_000} s.`
    this.#error = { code: "stalled", message }
    this.#stalled()
  }
}
