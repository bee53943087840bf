/*
 * npm run test:faults -- [what vitest takes]
 *
 * What npm test does a few times, a hundred times: kills the edge while it is written to and read. Takes some minutes.
 */

process.env.HEADWATER_KILLS ??= "100"
process.env.HEADWATER_FIRST_ANSWER_MS ??= "10000" // three seconds are meant; a busy machine may need more
process.argv.push("--project", "node", "test/faults")

await import("./test.mjs")
