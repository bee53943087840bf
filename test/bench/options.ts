/** What the command line asks for. */
export type Options = {
  /** Names of metrics, or of a group of them; undefined for all. */
  readonly only: readonly string[] | undefined
  /** Fewer rounds and smaller sizes: for seeing that it runs, not for quoting. */
  readonly quick: boolean
  /** Where the figures go as JSON, with every round. */
  readonly json: string | undefined
}

/** Reads the arguments. @throws Error that says what was expected and what came. */
export function parseOptions(args: readonly string[], metrics: readonly string[]): Options {
  const rest = [...args]
  const found: { -readonly [Name in keyof Options]: Options[Name] } = {
    only: undefined,
    quick: false,
    json: undefined,
  }
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "--quick") found.quick = true
    else if (name === "--json") found.json = argumentOf(name, rest.shift())
    else if (name === "--only") found.only = argumentOf(name, rest.shift()).split(",")
    else throw new Error(`Options are --only NAME[,NAME], --quick and --json FILE; ${name} came.`)
  }
  const unknown = found.only?.find((name) => !metrics.some((metric) => covers(name, metric)))
  if (unknown !== undefined) throw new Error(`Metrics are ${metrics.join(", ")}; ${unknown} came.`)
  return found
}

/** Whether a name of the command line means a metric: by its own name, or by that of its group. */
export function covers(asked: string, metric: string): boolean {
  return metric === asked || metric.startsWith(`${asked}/`)
}

function argumentOf(name: string, value: string | undefined): string {
  if (value === undefined || value.startsWith("--")) throw new Error(`${name} needs a value.`)
  return value
}
