export type Facts = Readonly<Record<string, string | number | boolean>>

/** One line of JSON for whoever operates the edge. Never what events hold, nor what would let anybody in. */
export function log(message: string, facts: Facts): void {
  console.log(JSON.stringify({ message, ...facts }))
}

/** By what an operator finds the object of a stream. */
export function factsOf(id: DurableObjectId): Facts {
  return { object: id.toString(), ...(id.name !== undefined && { stream: id.name }) }
}
