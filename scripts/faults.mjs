/*
 * npm run test:faults -- [what vitest takes]
 *
 * What npm test does a few times, as often as is promised: kills the edge, browsers and tabs, cuts and spoils networks,
 * fills disks. Takes most of an hour. HEADWATER_SEED chooses other faults.
 */

process.env.HEADWATER_KILLS ??= "100"
process.env.HEADWATER_HANDOVERS ??= "200"
process.env.HEADWATER_STRIKES ??= "504" // every harm at every place, see test/faults/strikes.ts
process.env.HEADWATER_ENDINGS ??= "50"

// Promises of time. Only the first is looser than what is meant, three seconds: a busy machine may need more.
process.env.HEADWATER_FIRST_ANSWER_MS ??= "10000"
process.env.HEADWATER_HANDOVER_MS ??= "5000"
process.env.HEADWATER_CONVERGENCE_MS ??= "60000"
process.env.HEADWATER_HALF_OPEN_MS ??= "40000"
process.argv.push("--project", "faults")

await import("./test.mjs")
