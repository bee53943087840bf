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
  /** Runs `work`, which ends the page: it is over when `work` has returned, whether or not anybody can say so. */
  leave<A extends readonly Json[]>(work: (...args: A) => void, ...args: A): Promise<void>
  /** As if the user had closed the tab. Not behind `leave`. */
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

/** The text of a call, for drivers that pass texts. */
export function callOf(work: (...args: never[]) => unknown, args: readonly Json[]): string {
  return `(${work})(...${JSON.stringify(args)})`
}

/** The text of an async function's body that makes the call and answers in JSON. */
export function scriptOf(work: (...args: never[]) => unknown, args: readonly Json[]): string {
  return `
    try { return JSON.stringify({ value: await ${callOf(work, args)} }) }
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

/** For what a driver says when a page that was to go has gone. */
export function ignore(): void {}
