import type { Client } from "headwater"
import { byId } from "../dom.ts"

/** The switch that takes this till off the network, in all its tabs. It stays as it is over a reload. */
export function networkSwitch(client: Client, account: string, onError: (error: unknown) => void): void {
  const place = byId("network", HTMLButtonElement)
  const key = `market:${account}:offline`
  const isOn = () => place.getAttribute("aria-checked") === "true"
  place.addEventListener("click", () => {
    if (isOn()) localStorage.setItem(key, "yes")
    else localStorage.removeItem(key)
    set(!isOn())
  })
  client.onStatus(({ paused }) => place.setAttribute("aria-checked", String(!paused)))
  if (localStorage.getItem(key) !== null) set(false)

  function set(on: boolean): void {
    place.setAttribute("aria-checked", String(on))
    const done = on ? client.resume() : client.pause()
    done.catch(onError)
  }
}
