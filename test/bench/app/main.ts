import { ours } from "./ours.ts"
import { raw } from "./raw.ts"

declare global {
  var bench: { ours: typeof ours; raw: typeof raw }
}

globalThis.bench = { ours, raw }
