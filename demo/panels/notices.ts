import { button, byId, element } from "../dom.ts"
import { inWords } from "../words.ts"

const NOTICES_MAX = 3

/** Tells what went wrong until somebody has read it. The same thing again is told once. */
export function notify(error: unknown): void {
  const place = byId("notices", HTMLDivElement)
  const words = inWords(error)
  for (const notice of place.children) if (notice.firstChild?.textContent === words) return
  const notice = element("div", { class: "notice" }, element("p", {}, words))
  notice.append(button("Understood", () => notice.remove(), { class: "plain" }))
  place.append(notice)
  if (place.childElementCount > NOTICES_MAX) place.firstElementChild?.remove()
}
