import { element } from "../dom.ts"
import { hueOf } from "../words.ts"

/** One event, in its till's colour. What it means is said beside it. */
export function drop(till: string | null): HTMLElement {
  const made = element("i", { class: "drop", "aria-hidden": "true" })
  made.style.setProperty("--hue", hueOf(till ?? ""))
  return made
}
