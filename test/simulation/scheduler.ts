import type { Random } from "./random.ts"
import type { Trace } from "./trace.ts"

type Task = {
  readonly at: number
  readonly tie: number
  readonly label: string
  /** Undefined once it was stopped. */
  run: (() => void) | undefined
}

/**
 * The only clock and the only queue of a simulated world. Time stands still while code runs and jumps to the next
 * task. After each task everything that became ready by it runs to its end, so a task is one turn of an event loop.
 */
export class Scheduler {
  readonly #random: Random
  readonly #trace: Trace
  readonly #heap: Task[] = []
  #now = 0
  #turn = 0

  constructor(random: Random, trace: Trace) {
    this.#random = random
    this.#trace = trace
  }

  /** Virtual milliseconds since the beginning. */
  get now(): number {
    return this.#now
  }

  /** Counts the tasks that have run: equal as long as the same task and its promises are at work. */
  get turn(): number {
    return this.#turn
  }

  /** Runs once, `ms` from now; among tasks of the same moment chance decides. Returns the way to stop it. */
  after(ms: number, label: string, run: () => void): () => void {
    const task: Task = { at: this.#now + Math.max(0, ms), tie: this.#random.next(), label, run }
    push(this.#heap, task)
    return () => {
      task.run = undefined
    }
  }

  /** Runs everything that is due until `until`, or until `isOver` says so after a task. */
  async run(until: number, isOver: () => boolean = () => false): Promise<void> {
    await settled() // what was begun since the last task
    for (let task = this.#heap[0]; task !== undefined && task.at <= until; task = this.#heap[0]) {
      pop(this.#heap)
      if (task.run === undefined) continue
      this.#now = task.at
      this.#turn++
      this.#trace.step(this.#now, task.label)
      try {
        task.run()
      } catch (error) {
        this.#trace.bug(error)
      }
      await settled()
      if (isOver()) return
    }
    this.#now = Math.max(this.#now, until)
  }
}

/** Promises that are ready run before an immediate does, or before a message arrives where there is none. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") return void setImmediate(resolve)
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}

function isBefore(one: Task, other: Task): boolean {
  return one.at < other.at || (one.at === other.at && one.tie < other.tie)
}

function push(heap: Task[], task: Task): void {
  let at = heap.length
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || !isBefore(task, parent)) break
    heap[at] = parent
    at = above
  }
  heap[at] = task
}

function pop(heap: Task[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    let below = 2 * at + 1
    let child = heap[below]
    const right = heap[below + 1]
    if (right !== undefined && child !== undefined && isBefore(right, child)) {
      below++
      child = right
    }
    if (child === undefined || !isBefore(child, last)) break
    heap[at] = child
    at = below
  }
  heap[at] = last
}
