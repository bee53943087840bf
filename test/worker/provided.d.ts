import "vitest"

/** What vitest.config.ts hands in. */
declare module "vitest" {
  interface ProvidedContext {
    /** How many sequences both transports are compared by. */
    readonly runs: number
    /** How many databases the simulated disk is compared on. */
    readonly databases: number
    readonly seed: number
  }
}
