export type Facts = Readonly<Record<string, string | number | boolean>>

/** One line of JSON for whoever operates the edge. Never what events hold, nor what would let anybody in. */
export function log(message: string, facts: Facts): void {
  console.log(JSON.stringify({ message, ...facts }))
}
