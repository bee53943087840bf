import { wallClock } from "./clock.ts"

let release: () => void = () => {}
let held: Promise<number> = Promise.resolve(Number.NaN)

/** What hands the leadership over: a lock of the browser. */
export const rawLock = {
  /** Asks for the lock and does not wait for it. */
  ask(name: string): void {
    held = new Promise((resolve) => {
      void navigator.locks.request(name, () => {
        resolve(wallClock())
        return new Promise<void>((letGo) => {
          release = letGo
        })
      })
    })
  },

  /** @returns when the lock was this page's */
  whenHeld: (): Promise<number> => held,

  /** @returns when it was let go */
  letGo(): number {
    const at = wallClock()
    release()
    return at
  },
}
