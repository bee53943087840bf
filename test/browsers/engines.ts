import { ENGINES, type EngineName } from "../../scripts/engines.mjs"
import { chromium } from "./chromium.ts"
import type { Engine } from "./engine.ts"
import { firefox } from "./firefox.ts"
import { webkit } from "./webkit.ts"

const ALL: Record<EngineName, Engine> = { chromium, firefox, webkit }

export function engineOf(name: EngineName): Engine {
  return ALL[name]
}

/** The engines that this machine has. */
export function enginesHere(): Engine[] {
  return ENGINES.filter(({ isThere }) => isThere()).map(({ name }) => ALL[name])
}
