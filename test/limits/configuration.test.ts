import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { LIMITS } from "../../shared/limits.ts"
import { VERSION } from "../../shared/version.ts"
import type { Access } from "../../worker/access/access.ts"
import { ALL_ORIGINS } from "../../worker/access/origins.ts"
import { boundsOf, VARIABLES } from "../../worker/bounds.ts"
import { configurationFault } from "../../worker/configuration.ts"
import type { Env } from "../../worker/env.ts"
import { read } from "../support/sources.ts"

const OPEN: Access = { kind: "open", origins: ALL_ORIGINS }

test("[CONF1] wrangler.toml lists every variable of a bound, with what holds without it, and a reason", () => {
  const lines =
    read("wrangler.toml")
      .split("[vars]\n")[1]
      ?.match(/^# [A-Z_]+ = .*$/gm) ?? []
  const listed = lines.map((line) => {
    const [, name, standard, reason] = /^# ([A-Z_]+) = "([^"]*)" +# (.+)$/.exec(line) ?? []
    expect(reason, line).toMatch(/\w+ \w+/)
    return { name, standard }
  })
  expect(listed).toEqual(VARIABLES)
})

test("[CONF1] without variables the bounds are those of the table", () => {
  expect(boundsOf({})).toEqual({ ok: true, value: LIMITS })
  expect(boundsOf({ READ_BYTES_MAX: "", UNRELATED: "x" })).toEqual({ ok: true, value: LIMITS })
})

test("[CONF1] a variable sets its bound", () => {
  const set = boundsOf({ READ_BYTES_MAX: "1000", SOCKETS_MAX: 7, BUDGET_DOLLARS_PER_DAY: "0.25" })
  const expected = { ...LIMITS, readBytesMax: 1_000, socketsMax: 7, budgetMicrodollarsPerDay: 250_000 }
  expect(set).toEqual({ ok: true, value: expected })
})

test.each([
  ["READ_BYTES_MAX", "0"],
  ["READ_BYTES_MAX", "16777217"],
  ["SEGMENT_BYTES", "16777217"],
  ["PRODUCER_BATCHES_MAX", "257"],
  ["LONG_POLL_MS_DEFAULT", "30001"],
  ["TOKEN_LIFE_MS_MAX", "34560000001"],
  ["TICKETS_MAX", "0"],
  ["FORK_LOOK_MS_MIN", "86400001"],
  ["PAGE_ROWS_MAX", "5"],
  ["PENDING_EVENTS_MAX", "5"],
  ["BUDGET_MICRODOLLARS_PER_DAY", "5"],
  ["READ_BYTES_MAX", "4 MiB"],
  ["READ_BYTES_MAX", "-1"],
  ["SOCKETS_MAX", "32769"],
  ["APPEND_BYTES_MAX", "1900001"],
  ["APPENDS_BURST_MAX", "1e3"],
  ["BUDGET_DOLLARS_PER_DAY", "free"],
  ["FRAME_BYTES_MAX", "1916384"],
])("[CONF2] %s does not take %j, and a sentence says what it takes", (name, value) => {
  const env = { STREAMS: {}, [name]: value } as unknown as Env // what else is bound plays no part
  const fault = configurationFault(env, OPEN)
  expect(fault).toMatch(new RegExp(`^${name} is .*${JSON.stringify(value)}|${value}.* came\\.$`))
})

test("[CONF2] polls are not held longer than the longest one, whichever of the two is set", () => {
  const reason = "LONG_POLL_MS_DEFAULT is at most LONG_POLL_MS_MAX, 2000; 3000 came."
  expect(boundsOf({ LONG_POLL_MS_MAX: "2000" })).toEqual({ ok: false, reason })
  expect(boundsOf({ LONG_POLL_MS_MAX: "2000", LONG_POLL_MS_DEFAULT: "2000" })).toMatchObject({ ok: true })
})

test("[CONF1] every variable takes what holds without it", () => {
  const standards = Object.fromEntries(VARIABLES.map(({ name, standard }) => [name, standard]))
  expect(boundsOf(standards)).toEqual({ ok: true, value: LIMITS })
})

test("[CONF2] where callers are known, the object that counts their streams is bound, or nothing is counted", () => {
  const env = (more: object) =>
    ({ STREAMS: {}, ACCESS_ISSUER: "https://issuer.example", ...more }) as unknown as Env // as above
  expect(configurationFault(env({}), OPEN)).toMatch(/^PRINCIPALS is bound/)
  expect(configurationFault(env({ STREAMS_PER_PRINCIPAL_MAX: "0" }), OPEN)).toBe(undefined)
  expect(configurationFault(env({ PRINCIPALS: {} }), OPEN)).toBe(undefined)
})

test("[CONF3] the version that an edge tells is that of the package", () => {
  const file = new URL("../../package.json", import.meta.url)
  expect(VERSION).toBe(JSON.parse(readFileSync(file, "utf8")).version)
})

test("[CONF1] the project of one's own in docs/deploy.md binds what this one binds", () => {
  const bindings = (toml: string) =>
    toml.match(/^(?:name|binding|class_name|new_sqlite_classes) = .*$/gm)?.slice(1) ?? []
  const [, example = ""] = /```toml\n(name = [\s\S]*?)```/.exec(read("docs/deploy.md")) ?? []
  expect(bindings(example)).toEqual(bindings(read("wrangler.toml")))
  expect(bindings(example)).toHaveLength(13)
})
