import { expect, test } from "vitest"
import { newEventId, timeNow } from "../../client/page/event-names.ts"

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const COUNT = 10_000
const DIGITS = "0123456789abcdef"

test("[EVENT1] each event is named by a random UUID of its own", () => {
  const ids = Array.from({ length: COUNT }, newEventId)
  for (const id of ids) expect(id).toMatch(UUID)
  expect(new Set(ids).size).toBe(COUNT)
})

test("[EVENT1] every digit of a UUID is as random as the others", () => {
  const ids = Array.from({ length: COUNT }, () => newEventId().replaceAll("-", ""))
  for (let at = 0; at < 32; at++) {
    const seen = new Set(ids.map((id) => id[at]))
    const possible = at === 12 ? "4" : at === 16 ? "89ab" : DIGITS
    expect([...seen].sort().join(""), `digit ${at}`).toBe(possible)
  }
})

test("[EVENT1] the time is the clock's, in UTC with milliseconds", () => {
  const before = new Date().toISOString()
  const times = [timeNow(), timeNow()]
  const after = new Date().toISOString()
  for (const time of times) {
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(time >= before && time <= after).toBe(true)
  }
})
