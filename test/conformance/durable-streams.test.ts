import { runConformanceTests } from "@durable-streams/server-conformance-tests"
import { afterAll, beforeAll, beforeEach, expect, type RunnerTask, test } from "vitest"
import { startEdge, type TestEdge } from "../support/edge.ts"

/*
 * The published suite of the open protocol against our edge in the real runtime: all of it but forks, which are left
 * out here by name, and subscriptions, which the suite leaves out unless asked.
 */
const LEFT_OUT = /^(Fork - |Reserved subscription APIs)/

const target = { baseUrl: "" } // the suite reads it anew in each test
let edge: TestEdge

beforeAll(async () => {
  edge = await startEdge()
  target.baseUrl = edge.url
})

afterAll(() => edge.stop())

beforeEach(({ task, skip }) => skip(LEFT_OUT.test(groupOf(task)), "the edge does not do this yet"))

runConformanceTests(target)

test("[EDGE1] all 250 tests of the suite outside forks and subscriptions are run", ({ task }) => {
  const suite = testsIn(task.file).filter((other) => other !== task)
  const leftOut = suite.filter((other) => LEFT_OUT.test(groupOf(other)))
  expect({ all: suite.length, leftOut: leftOut.length }).toEqual({ all: 338, leftOut: 82 + 6 })
})

function testsIn(task: RunnerTask): RunnerTask[] {
  return "tasks" in task ? task.tasks.flatMap(testsIn) : [task]
}

function groupOf(task: RunnerTask): string {
  return task.suite === undefined || task.suite.suite === undefined
    ? (task.suite?.name ?? "")
    : groupOf(task.suite)
}
