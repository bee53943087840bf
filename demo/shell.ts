import { byId, setText } from "./dom.ts"
import { inWords } from "./words.ts"

/** Keeps the page itself on this device, so that it opens without a network. */
export async function keepShell(): Promise<void> {
  const place = byId("shell", HTMLParagraphElement)
  if (navigator.serviceWorker === undefined) return
  try {
    await navigator.serviceWorker.register("./offline.js")
    await navigator.serviceWorker.ready
    setText(place, "This page is kept on this device: it opens without a network.")
  } catch (error) {
    setText(place, `This page could not be kept for offline use: ${inWords(error)}`)
  }
}
