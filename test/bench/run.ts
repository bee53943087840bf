import { writeFile } from "node:fs/promises"
import type { Figure } from "./figure.ts"
import { describeMachine, loadLine } from "./machine.ts"
import { measureAppend } from "./metrics/append.ts"
import { measureBurst } from "./metrics/burst.ts"
import { measureCatchUp } from "./metrics/catch-up.ts"
import { measureEdgeAppend } from "./metrics/edge/append.ts"
import { measureEdgeFanOut } from "./metrics/edge/fan-out.ts"
import { measureEdgeRead } from "./metrics/edge/read.ts"
import { measureEdgeWake } from "./metrics/edge/wake.ts"
import { measureEdgeWriters } from "./metrics/edge/writers.ts"
import { measureFirstStart } from "./metrics/first-start.ts"
import { measureHandOver } from "./metrics/hand-over.ts"
import { measureLargeLog } from "./metrics/large-log.ts"
import { measureLogCatchUp } from "./metrics/log-catch-up.ts"
import { measureOptimistic } from "./metrics/optimistic.ts"
import { measurePropagation } from "./metrics/propagation.ts"
import { measureSize } from "./metrics/size.ts"
import { measureStart } from "./metrics/start.ts"
import { measureUpload } from "./metrics/upload.ts"
import { measureView } from "./metrics/view.ts"
import { covers, type Options, parseOptions } from "./options.ts"
import { table } from "./report.ts"
import { openStage, type Stage } from "./stage.ts"

/*
 * npm run bench [-- --only NAME[,NAME]] [--quick] [--json FILE]
 *
 * A name stands for all below it too: `edge` for `edge/append` and the others, which need no browser.
 *
 * How fast the path of an event is, beside the raw operation of the same kind, measured in turn in the same run. A
 * ratio of 1 is as good as raw.
 */

const METRICS: Record<string, (stage: Stage) => Promise<Figure[]>> = {
  append: measureAppend,
  burst: measureBurst,
  "catch-up": measureCatchUp,
  "catch-up/log": measureLogCatchUp,
  "large-log": measureLargeLog,
  "hand-over": measureHandOver,
  propagation: measurePropagation,
  optimistic: measureOptimistic,
  upload: measureUpload,
  start: measureStart,
  "start/first": measureFirstStart,
  view: measureView,
  size: measureSize,
  "edge/append": measureEdgeAppend,
  "edge/writers": measureEdgeWriters,
  "edge/fan-out": measureEdgeFanOut,
  "edge/read": measureEdgeRead,
  "edge/wake": measureEdgeWake,
}

const NOTES = [
  "Events have about 160 bytes. A ratio of 1 is as good as raw. A browser's clock ticks every 0.1 ms.",
  "Between browsers both pages read the system's clock, and half of the events go each way: a difference cancels.",
  "The edge and the raw worker run side by side in the same runtime; the client's cost is in both.",
  "Raw events of a burst are made by the browser's plain calls: randomUUID, toISOString, JSON.stringify; unvalidated.",
  "A catch-up of ours ends when the rows are seen, the raw one when they are seen and the disk has the last byte.",
]

const ROUNDS = 5
const QUICK_ROUNDS = 2

const options = readOptions()
if (options !== undefined) await run(options)

function readOptions(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2), Object.keys(METRICS))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
    return undefined
  }
}

async function run({ only, quick, json }: Options): Promise<void> {
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  const machine = describeMachine()
  const stage = await openStage({ rounds, quick })
  const figures: Figure[] = []
  try {
    for (const [name, measure] of Object.entries(METRICS)) {
      if (only !== undefined && !only.some((asked) => covers(asked, name))) continue
      process.stderr.write(`${name} ...\n`)
      figures.push(...(await measure(stage)))
    }
  } finally {
    await stage.close()
  }
  const about = [...machine, loadLine("after"), `Median of ${rounds} rounds, raw and ours in turn.`, ...NOTES]
  process.stdout.write(`${about.join("\n")}\n\n${table(figures)}\n`)
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ about, figures }, null, 2)}\n`)
}
