import { describe, expect, test } from "vitest"
import { arrival, confirmedBy } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"

const at = (position: number) => String(position).padStart(4, "0") as Offset
const message = (id: string) => ({ id, type: "t", data: {} })

describe("log order", () => {
  test.each([
    ["next", at(2), { from: at(2), next: at(5) }],
    ["next", START, { from: START, next: at(1) }],
    ["seen", at(5), { from: at(2), next: at(5) }],
    ["seen", at(5), { from: START, next: at(4) }],
    ["gap", at(2), { from: at(3), next: at(4) }],
    ["gap", at(3), { from: at(2), next: at(4) }],
    ["gap", START, { from: at(1), next: at(2) }],
  ])("[LOG1] is %s for a reader at %s when %o comes", (expected, head, page) => {
    expect(arrival(head, page).kind).toBe(expected)
  })

  test("[LOG2] an entry is confirmed by its events standing in the log, whoever put them there", () => {
    const pending = [
      { messages: [message("a"), message("b")] },
      { messages: [message("c")] },
      { messages: [message("d")] },
    ]
    const page = { messages: [message("x"), message("d"), 7, null, message("a"), message("b")] }
    expect(confirmedBy(pending, page)).toEqual([pending[0], pending[2]])
    expect(confirmedBy(pending, { messages: [message("y")] })).toEqual([])
  })
})
