import type { EngineName } from "../../scripts/engines.mjs"

/** What can be handed to a page and back. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** One tab of a browser that a test drives. */
export interface EnginePage {
  /**
   * Runs `work` in the page and gives what it answers, or the error it throws. Nothing of the test's scope is there;
   * arguments and answer pass as JSON.
   */
  evaluate<A extends readonly Json[], T>(work: (...args: A) => T | Promise<T>, ...args: A): Promise<T>
  /** As if the user had closed the tab. */
  close(): Promise<void>
}

/** A browser with a profile of its own, which begins empty and ends with it. */
export interface EngineBrowser {
  readonly version: string
  /** Opens a tab; resolves when the page has loaded. */
  open(url: string): Promise<EnginePage>
  close(): Promise<void>
}

/** One of the engines. */
export interface Engine {
  readonly name: EngineName
  /** Starts a browser that can be driven. */
  launch(): Promise<EngineBrowser>
  /** Starts a browser whose one page is `url`, with a profile on disk that ends with it. */
  show(url: string): Promise<{ close(): Promise<void> }>
}

/** The text of an async function's body that runs `work` and answers in JSON, for drivers that pass texts. */
export function scriptOf(work: (...args: never[]) => unknown, args: readonly Json[]): string {
  return `
    try { return JSON.stringify({ value: await (${work})(...${JSON.stringify(args)}) }) }
    catch (error) { return JSON.stringify({ error: String(error) }) }`
}

/** What a script of `scriptOf` has answered. */
export function answerOf<T>(text: string): T {
  const answer = JSON.parse(text) as { value: T } | { error: string } // as scriptOf wrote it
  if ("error" in answer) throw new Error(answer.error)
  return answer.value
}

/** What `show` is where the browser that can be driven has its profile on disk. */
export async function showDriven(launch: Engine["launch"], url: string): ReturnType<Engine["show"]> {
  const browser = await launch()
  await browser.open(url)
  return browser
}
