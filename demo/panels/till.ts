import { byId } from "../dom.ts"
import { someName } from "../sample.ts"
import { hueOf } from "../words.ts"

/** The till's name, which every event of it carries. Whether it is one, the streams' schemas say. */
export function tillField(account: string): () => string {
  const key = `market:${account}:till`
  const field = byId("till-name", HTMLInputElement)
  const mark = byId("till-drop", HTMLSpanElement)
  field.value = localStorage.getItem(key) ?? someName()
  const keep = () => {
    localStorage.setItem(key, field.value)
    mark.style.setProperty("--hue", hueOf(field.value.trim()))
  }
  keep()
  field.addEventListener("input", keep)
  window.addEventListener("storage", (event) => {
    if (event.key !== key || event.newValue === null) return
    field.value = event.newValue
    mark.style.setProperty("--hue", hueOf(field.value.trim()))
  })
  return () => field.value
}
