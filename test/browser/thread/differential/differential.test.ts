import { expect, inject, test } from "vitest"
import { openIdbStorage } from "../../../../client/disk/idb-storage.ts"
import { Disk, SOUND_DISK, SteadyOwner } from "../../../simulation/disk.ts"
import { DiskStorage } from "../../../simulation/disk-storage.ts"
import { Image } from "../../../simulation/image.ts"
import { Random } from "../../../simulation/random.ts"
import { Scheduler } from "../../../simulation/scheduler.ts"
import { Trace } from "../../../simulation/trace.ts"
import { countCommands, drawRounds, type Round, type Transaction } from "./commands.ts"
import { type Database, play, type Seen } from "./play.ts"

/** Each has a list of commands of its own. */
const DATABASES = inject("databases")
const SEED = inject("seed")
const ROUNDS = 12
const COMMANDS_MIN = 80 * DATABASES
const TIMEOUT_MS = 60_000 + DATABASES * 1_000

/** A new database knows that it was made, and gives keys from far up on, as a browser's does. */
const LAST_KEY = 2e15

/** Longer than any transaction of the simulated disk takes. */
const MINUTE_MS = 60_000

function realDatabase(): Database {
  const name = crypto.randomUUID()
  return { open: () => openIdbStorage(name), goOn() {} }
}

function simulatedDatabase(seed: number): Database & { readonly trace: Trace } {
  const trace = new Trace()
  const scheduler = new Scheduler(new Random(seed, "schedule"), trace)
  const disk = new Disk("disk", { scheduler, random: new Random(seed, "disk"), trace }, () => {})
  disk.faults = { ...SOUND_DISK, isSlowToAnswer: true }
  const image = new Image(undefined, LAST_KEY)
  image.apply([{ store: "meta", key: "made", record: { name: "made" } }])
  disk.restore(image)
  return {
    trace,
    open: async () => new DiskStorage(disk, new SteadyOwner("tab")),
    goOn: () => void scheduler.run(scheduler.now + MINUTE_MS),
  }
}

test(
  `[DISK16] ${DATABASES} databases of seed ${SEED} are, in the browser and simulated, one and the same`,
  async () => {
    let commands = 0
    for (let seed = SEED; seed < SEED + DATABASES; seed++) {
      const rounds = drawRounds(new Random(seed, "commands"), ROUNDS)
      const simulated = simulatedDatabase(seed)
      const [real, here] = [await play(rounds, realDatabase()), await play(rounds, simulated)]
      for (const [at, seen] of real.entries()) {
        const round = `seed ${seed}, round ${at}`
        expect.soft(outOfTurn(rounds[at], seen), `the browser, ${round}`).toEqual([])
        expect.soft(outOfTurn(rounds[at], here[at]), `simulated, ${round}`).toEqual([])
        for (const [number, result] of seen.results.entries()) {
          const asked = JSON.stringify(rounds[at]?.transactions[number])
          expect.soft(here[at]?.results[number], `${round}, transaction ${number}: ${asked}`).toEqual(result)
        }
      }
      expect(simulated.trace.violation).toBeUndefined()
      commands += countCommands(rounds)
    }
    console.info(`${commands} commands to ${DATABASES} databases, from seed ${SEED} on`)
    expect(commands).toBeGreaterThanOrEqual(COMMANDS_MIN)
  },
  TIMEOUT_MS,
)

/** Transactions that completed before an earlier one which they had to wait for. */
function outOfTurn(round: Round | undefined, seen: Seen | undefined): string[] {
  const { transactions } = round ?? { transactions: [] }
  const completed = seen?.completed ?? []
  return completed.flatMap((later, at) =>
    completed
      .slice(at + 1)
      .filter((earlier) => earlier < later && waits(transactions[later], transactions[earlier]))
      .map((earlier) => `${later} before ${earlier}`),
  )
}

function waits(later: Transaction | undefined, earlier: Transaction | undefined): boolean {
  if (later === undefined || earlier === undefined) return false
  const isShared = later.stores.some((store) => earlier.stores.includes(store))
  return isShared && (later.kind === "write" || earlier.kind === "write")
}
