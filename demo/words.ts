/*
 * Figures and names as people read them.
 */

const money = new Intl.NumberFormat(undefined, { style: "currency", currency: "EUR" })
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 })
const tenth = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" })

export const euros = (cents: number) => money.format(cents / 100)

export const count = (figure: number) => whole.format(figure)

export function counted(figure: number, one: string, many = `${one}s`): string {
  return `${count(figure)} ${figure === 1 ? one : many}`
}

export function duration(ms: number): string {
  if (ms < 9.95) return `${tenth.format(ms)} ms`
  if (ms < 1000) return `${whole.format(ms)} ms`
  if (ms < 60_000) return `${tenth.format(ms / 1000)} s`
  return `${whole.format(ms / 60_000)} min`
}

export function timeOfDay(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? "" : clock.format(date)
}

/** An order's number as the customer gets it. */
export const ticket = (order: string) => order.slice(0, 4).toUpperCase()

/** What a person typed as a price, in cents; NaN when it is no number, which no schema accepts. */
export function cents(typed: string): number {
  const text = typed.trim().replace(",", ".")
  return text === "" ? Number.NaN : Math.round(Number(text) * 100)
}

export function wholeNumber(typed: string): number {
  return typed.trim() === "" ? Number.NaN : Number(typed)
}

/** A till's colour: the same on every device, because it follows from the name. */
export function hueOf(name: string): string {
  let hash = 2_166_136_261
  for (const letter of name) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16_777_619)
  return String((hash >>> 8) % 360)
}

/** What went wrong, for whoever stands at the till. */
export function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
