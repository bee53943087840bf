import { expect, test } from "vitest"
import { Telling } from "../../worker/telling.ts"

/** Somebody who is told, and answers when the test says so. */
class SlowListener {
  readonly asked: string[] = []
  #answer: (isWanted: boolean) => void = () => undefined
  #fail: (error: Error) => void = () => undefined

  news(from: string): Promise<boolean> {
    this.asked.push(from)
    return new Promise((resolve, reject) => {
      this.#answer = resolve
      this.#fail = reject
    })
  }

  async answer(isWanted: boolean): Promise<void> {
    this.#answer(isWanted)
    await settled()
  }

  async fail(): Promise<void> {
    this.#fail(new Error("gone"))
    await settled()
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

function telling() {
  const listeners = { a: new SlowListener(), b: new SlowListener() }
  const left: string[] = []
  const parts = {
    from: () => "stream",
    listener: (name: string) => listeners[name as "a" | "b"],
    left: (name: string) => void left.push(name),
  }
  return { telling: new Telling(parts), listeners, left }
}

test("[EVIEW4] one call is under way at a time, and what comes meanwhile is told by one more", async () => {
  const { telling: one, listeners } = telling()
  for (let n = 0; n < 5; n++) one.tell(["a", "b"])
  expect(listeners.a.asked).toHaveLength(1)
  await listeners.a.answer(true)
  expect(listeners.a.asked).toHaveLength(2)
  expect(listeners.b.asked).toHaveLength(1) // who is slow keeps nobody else waiting
  await listeners.a.answer(true)
  expect(listeners.a.asked).toHaveLength(2)
  one.tell(["a"])
  expect(listeners.a.asked).toHaveLength(3)
})

test("[EVIEW4] whoever cannot be reached is told of the next thing, and of what came meanwhile", async () => {
  const { telling: one, listeners, left } = telling()
  one.tell(["a"])
  await listeners.a.fail()
  expect([listeners.a.asked.length, left]).toEqual([1, []])
  one.tell(["a"])
  one.tell(["a"])
  await listeners.a.fail()
  expect(listeners.a.asked).toHaveLength(3)
})

test("[EVIEW4] whoever does not want to be told is not told again", async () => {
  const { telling: one, listeners, left } = telling()
  one.tell(["a"])
  one.tell(["a"])
  await listeners.a.answer(false)
  expect([listeners.a.asked.length, left]).toEqual([1, ["a"]])
})
