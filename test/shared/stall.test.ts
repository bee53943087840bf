import { expect, test } from "vitest"
import { LIMITS } from "../../shared/limits.ts"
import { FIRST_WATCH, isStalled, type Standing, watch } from "../../shared/stall.ts"

const WAITING: Standing = { isHeldBack: false, isLineInDoubt: false, outcomes: 0, buffered: 0 }
const LOOKS = LIMITS.stallMsMax / LIMITS.stallLookMs

/** Whether it is a stall after twice the time, with what each look finds. */
function isStalledWith(found: (look: number) => Partial<Standing>): boolean {
  let seen = FIRST_WATCH
  for (let look = 0; look < 2 * LOOKS; look++) {
    seen = watch(seen, { ...WAITING, ...found(look) }, LIMITS.stallLookMs)
    if (isStalled(seen)) return true
  }
  return false
}

test("[CONN15] a batch without progress for long enough is a stall, and not sooner", () => {
  expect(isStalledWith(() => ({}))).toBe(true)
  expect(isStalledWith((look) => ({ buffered: 1_000 + look }))).toBe(true)
  let seen = FIRST_WATCH
  for (let look = 1; look <= LOOKS; look++) {
    seen = watch(seen, WAITING, LIMITS.stallLookMs)
    expect(isStalled(seen)).toBe(look === LOOKS)
  }
})

test("[CONN15] outcomes and an upload that goes on are progress", () => {
  const seldom = (look: number) => Math.floor(look / (LOOKS - 1))
  expect(isStalledWith((look) => ({ outcomes: seldom(look) }))).toBe(false)
  expect(isStalledWith((look) => ({ buffered: 1_000 - seldom(look) }))).toBe(false)
})

test("[CONN15] a batch that the edge asked to wait with is not late, nor one whose line is in doubt", () => {
  expect(isStalledWith(() => ({ isHeldBack: true }))).toBe(false)
  expect(isStalledWith(() => ({ isLineInDoubt: true }))).toBe(false)
})
