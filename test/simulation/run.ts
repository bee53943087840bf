import "./tiny-limits.ts"
import { parseArgs } from "node:util"
import { hunt, runSeeds, type Summary, seedsFrom } from "./campaign.ts"
import { MUTANTS } from "./mutants.ts"
import { type Outcome, simulate } from "./simulation.ts"

const USAGE = `npm run sim -- [--seed S] [--seeds N] [--trace | --hashes | --mutants]

  --seed S    the first seed (1)
  --seeds N   how many seeds, one after the other (1)
  --trace     print everything that happens
  --hashes    print each seed's trace as one number: the same in every process
  --mutants   put known bugs back in, one at a time; each has to be found within N seeds (200)`

const MUTANT_SEEDS = 200
const MS_PER_HOUR = 3_600_000

function reading() {
  return parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      seeds: { type: "string" },
      trace: { type: "boolean", default: false },
      hashes: { type: "boolean", default: false },
      mutants: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new TypeError(`--${name} is a whole number; ${text} came.`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function printViolation({ seed, violation, lastLines }: Outcome, withTrace: boolean): void {
  print(`seed ${seed}: ${violation?.rule} ${violation?.message}`)
  if (withTrace) for (const line of lastLines) print(line.slice(0, 200))
}

function printSummary({ seeds, steps, events, simulatedMs, faults, violations }: Summary, ms: number): void {
  const perSecond = Math.round((1_000 * steps) / ms)
  print(
    `${seeds} seeds, ${steps} steps (${perSecond}/s), ${events} events, ${(simulatedMs / MS_PER_HOUR).toFixed(2)} h`,
  )
  for (const [name, count] of [...faults].sort()) print(`${String(count).padStart(8)} ${name}`)
  print(violations.length === 0 ? "Every promise was kept." : `${violations.length} seeds broke a promise.`)
}

async function runMutants(seeds: readonly number[]): Promise<boolean> {
  let survivors = 0
  for (const mutant of MUTANTS) {
    const found = await hunt(mutant, seeds)
    if (found === undefined) survivors++
    const fate = found === undefined ? "SURVIVED" : `seed ${found.seed}: ${found.violation?.rule}`
    print(`${mutant.name.padEnd(30)} ${fate}`)
  }
  return survivors === 0
}

/** What the command line asks for; undefined when it is not understood, which has been said then. */
function request() {
  try {
    const options = reading()
    const count = whole("seeds", options.seeds ?? String(options.mutants ? MUTANT_SEEDS : 1))
    return { ...options, numbers: seedsFrom(whole("seed", options.seed), count) }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}\n`)
    return undefined
  }
}

async function run({ numbers, ...options }: NonNullable<ReturnType<typeof request>>): Promise<boolean> {
  if (options.mutants) return runMutants(numbers)
  if (options.trace) {
    const outcomes = []
    for (const seed of numbers) outcomes.push(await simulate(seed, { onLine: print }))
    return outcomes.every(({ violation }) => violation === undefined)
  }
  const started = performance.now()
  const summary = await runSeeds(numbers, {}, (outcome) => {
    if (options.hashes) print(`${outcome.seed} ${outcome.hash}`)
    if (outcome.violation !== undefined) printViolation(outcome, numbers.length === 1)
  })
  if (!options.hashes) printSummary(summary, performance.now() - started)
  return summary.violations.length === 0
}

const asked = request()
if (asked?.help) print(USAGE)
else if (asked === undefined) process.exitCode = 2
else process.exitCode = (await run(asked)) ? 0 : 1
