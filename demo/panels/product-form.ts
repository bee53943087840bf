import { byId, setText } from "../dom.ts"
import type { Market } from "../market.ts"
import { cents, inWords, wholeNumber } from "../words.ts"

/** Adds a product. What is wrong with it is for the stream's schema to say, not for this form. */
export function productForm(market: Market): void {
  const form = byId("add-product", HTMLFormElement)
  const error = byId("add-error", HTMLParagraphElement)
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    const typed = new FormData(form)
    const text = (name: string) => String(typed.get(name) ?? "")
    try {
      await market.add({ name: text("name"), price: cents(text("price")), stock: wholeNumber(text("stock")) })
      setText(error, "")
      form.reset()
      form.querySelector("input")?.focus()
    } catch (reason) {
      setText(error, inWords(reason))
    }
  })
}
