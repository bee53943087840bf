import { log } from "./log.ts"
import { ours } from "./ours.ts"
import { raw } from "./raw.ts"
import { rawLock } from "./raw-lock.ts"

declare global {
  var bench: { log: typeof log; ours: typeof ours; raw: typeof raw; rawLock: typeof rawLock }
}

globalThis.bench = { log, ours, raw, rawLock }
