import type { Offset, PastView, View } from "headwater"
import { byId, setText } from "../dom.ts"
import type { Streams } from "../pending.ts"
import { count, timeOfDay } from "../words.ts"

/** A place of the log that the slider can stand at: behind an order. */
type Place = { readonly offset: Offset; readonly time: string }

const BEGIN = "-1" as Offset // of every log

/**
 * A slider over everything that ever happened to the orders.
 *
 * @param show Is given the view as it was, or undefined for how it is now. Resolves when it has looked.
 * @returns Shows the place at which it stands once more.
 */
export function pastSlider(
  view: View,
  { orders }: Streams,
  show: (past: PastView | undefined) => Promise<void>,
  onError: (error: unknown) => void,
): () => void {
  const slider = byId("past", HTMLInputElement)
  const label = byId("past-place", HTMLOutputElement)
  let places: Place[] = []
  let wanted: number | undefined
  let isMoving = false

  /** The log may have grown. The slider's end is now, where rows are live. */
  async function lengthen(): Promise<void> {
    const found: Place[] = []
    for await (const { offset, event } of orders.read()) found.push({ offset, time: event?.time ?? "" })
    const isNow = slider.value === slider.max // it may have been moved while the log was read
    places = found
    slider.max = String(places.length)
    if (isNow) slider.value = slider.max
  }

  async function move(): Promise<void> {
    if (isMoving) return
    isMoving = true
    while (wanted !== undefined) {
      const at = wanted
      wanted = undefined
      await goTo(at).catch(onError)
    }
    isMoving = false
  }

  async function goTo(at: number): Promise<void> {
    if (at >= places.length) {
      setText(label, "now")
      return show(undefined)
    }
    const place = places[at - 1]
    setText(label, place === undefined ? "the beginning" : `${count(at)}, ${timeOfDay(place.time)}`)
    const past = await view.at({ [orders.path]: place?.offset ?? BEGIN })
    await show(past)
    await past.close()
  }

  slider.addEventListener("pointerenter", () => void lengthen().catch(onError))
  slider.addEventListener("focus", () => void lengthen().catch(onError))
  const again = () => {
    wanted = Number(slider.value)
    void move()
  }
  slider.addEventListener("input", again)
  return again
}
