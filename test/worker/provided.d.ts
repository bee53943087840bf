import "vitest"

/** What vitest.config.ts hands in. */
declare module "vitest" {
  interface ProvidedContext {
    readonly runs: number
    readonly seed: number
  }
}
