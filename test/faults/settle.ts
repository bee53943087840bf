import { expect } from "vitest"
import { faultsIn, type Logged, type Recorder, readLog } from "./recorder.ts"

/** Twice what everything may take after the last fault, for busy machines. */
const SETTLE_MS_MAX = 120_000

/**
 * Waits until a stream's log is as clients were told, and answers it. What is missing may still come; what is there
 * twice, or in another order, stays. Clients append nothing meanwhile.
 *
 * @param authors Default: all that have reported.
 */
export async function settled(
  recorder: Recorder,
  stream: string,
  authors?: readonly string[],
): Promise<Logged[]> {
  let log: Logged[] = []
  const faults = async () => {
    log = await readLog(stream)
    return faultsIn(recorder.judge(log, authors))
  }
  await expect.poll(faults, { timeout: SETTLE_MS_MAX, interval: 200 }).toEqual([])
  return log
}

/** The events of a log as a client's view names them. */
export function namesIn(log: readonly Logged[]): string[] {
  return log.map(({ data }) => `${data.author} ${data.n}`)
}
