/** Lets the browser do what waits, and comes back as soon as it has. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** A clock that two pages of one machine read alike, in milliseconds with a fraction. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now()
}

/** How long each of `count` acts takes, one after the other. */
export async function timeEach(count: number, act: (i: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await act(i)
    times.push(performance.now() - start)
    await turn()
  }
  return times
}

/** Turns before a burst is timed, as an app has had some: the browser has compiled what they run. */
export const WARM_UP_TURNS = 50

/** A burst of appends: until all is flushed, of it the making and appending of the events, the page's longest block. */
export type Burst = { readonly ms: number; readonly blockMs: number; readonly appendMs: number }

/**
 * Appends in one turn after the other, each awaited until it is flushed.
 *
 * @param turns What is appended in each.
 * @param append Appends what one turn holds; the promise is of its being flushed.
 */
export async function timeBurst<T>(
  turns: readonly T[],
  append: (turn: T) => Promise<unknown>,
): Promise<Burst> {
  let appendMs = 0
  const times = await longestBlock(async () => {
    for (const turn of turns) {
      const start = performance.now()
      const flushed = append(turn)
      appendMs += performance.now() - start
      await flushed
    }
  })
  return { ...times, appendMs }
}

/**
 * Runs something and looks how long this thread was away from its timers meanwhile. Timers come every 4 ms at best,
 * so an idle thread shows that much.
 */
export async function longestBlock(act: () => Promise<unknown>): Promise<{ ms: number; blockMs: number }> {
  let last = performance.now()
  let blockMs = 0
  const look = () => {
    const now = performance.now()
    blockMs = Math.max(blockMs, now - last)
    last = now
  }
  const timer = setInterval(look, 4)
  await pause(20)
  blockMs = 0
  const start = performance.now()
  await act()
  const ms = performance.now() - start
  look()
  clearInterval(timer)
  return { ms, blockMs }
}
