import { runConformanceTests } from "@durable-streams/server-conformance-tests"
import { afterAll, beforeAll, expect, type RunnerTask, test } from "vitest"
import { startEdge, type TestEdge } from "../support/edge.ts"

/*
 * The published suite of the open protocol against our edge in the real runtime: all of it but subscriptions, which the
 * suite itself leaves out unless asked.
 */
const LEFT_OUT = "Reserved subscription APIs"

const target = { baseUrl: "" } // the suite reads it anew in each test
let edge: TestEdge

beforeAll(async () => {
  edge = await startEdge()
  target.baseUrl = edge.url
})

afterAll(() => edge.stop())

runConformanceTests(target)

test("[EDGE1] all 332 tests of the suite outside subscriptions are run", ({ task }) => {
  const suite = testsIn(task.file).filter((other) => other !== task)
  const leftOut = suite.filter(({ mode }) => mode !== "run" && mode !== "queued")
  expect(suite.length - leftOut.length).toBe(332)
  expect(new Set(leftOut.map(groupOf))).toEqual(new Set([LEFT_OUT]))
})

function testsIn(task: RunnerTask): RunnerTask[] {
  return "tasks" in task ? task.tasks.flatMap(testsIn) : [task]
}

function groupOf(task: RunnerTask): string {
  return task.suite === undefined || task.suite.suite === undefined
    ? (task.suite?.name ?? "")
    : groupOf(task.suite)
}
