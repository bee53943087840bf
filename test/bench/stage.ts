import type { BrowserContext, Page } from "playwright-core"
import { createProfile, type Profile } from "../support/chromium.ts"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { type Site, serveSite } from "../support/site.ts"
import { openPair, type Pair } from "./edge/pair.ts"
import { fillStream, tailOf } from "./fill.ts"

/** What every metric plays on: a real edge; and, made when the first one asks, a raw worker, a built page, browsers. */
export type Stage = {
  readonly rounds: number
  /** Smaller sizes. */
  readonly quick: boolean
  readonly edge: string
  /** The edge beside the raw worker. */
  pair(): Promise<Pair>
  /** A name that no other round has. */
  fresh(what: string): string
  /** The address of a stream at the edge. */
  urlOf(path: string): string
  /** The offset at which a stream ends. */
  tail(path: string): Promise<string>
  /**
   * A stream of so many events, made the first time. Nobody appends to it.
   * @param numbers How many different numbers they have; as many as events unless told.
   * @returns its path
   */
  filled(count: number, numbers?: number): Promise<string>
  /**
   * A browser whose disk begins empty. Not a second context of one browser: those keep IndexedDB in memory, and then
   * flushing costs nothing.
   */
  withBrowser<T>(act: (newPage: () => Promise<Page>, context: BrowserContext) => Promise<T>): Promise<T>
  /** One page of such a browser. */
  withPage<T>(act: (page: Page) => Promise<T>): Promise<T>
  /** A disk that begins empty and outlives its browsers: each visit starts one, and ends it. */
  withDisk<T>(act: (visit: Visit) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export type Visit = <T>(
  act: (newPage: () => Promise<Page>, context: BrowserContext) => Promise<T>,
) => Promise<T>

export async function openStage(options: { rounds: number; quick: boolean }): Promise<Stage> {
  const edge = await startEdge()
  const site = once(() => serveSite("bench/app"))
  const pair = once(() => openPair(edge))
  const filled = new Map<string, Promise<string>>()
  let names = 0
  const urlOf = (path: string) => `${edge.url}/v1/stream/${path}`

  async function fill(path: string, count: number, numbers: number): Promise<string> {
    await fillStream(urlOf(path), count, numbers)
    return path
  }

  return {
    ...options,
    edge: edge.url,
    pair: pair.get,
    fresh: (what) => `${what}-${++names}`,
    urlOf,
    tail: (path) => tailOf(urlOf(path)),
    filled(count, numbers = count) {
      const path = numbers === count ? `filled/${count}` : `filled/${count}/${numbers}`
      const known = filled.get(path) ?? fill(path, count, numbers)
      filled.set(path, known)
      return known
    },
    withBrowser: async (act) => withDisk(await site.get(), (visit) => visit(act)),
    withPage: async (act) =>
      withDisk(await site.get(), (visit) => visit(async (newPage) => act(await newPage()))),
    withDisk: async (act) => withDisk(await site.get(), act),
    close: () => end(edge, [pair.made(), site.made()]),
  }
}

async function withDisk<T>(site: Site, act: (visit: Visit) => Promise<T>): Promise<T> {
  const profile = await createProfile()
  try {
    return await act((visiting) => visitOf(profile, site, visiting))
  } finally {
    await profile.delete()
  }
}

async function visitOf<T>(
  profile: Profile,
  site: Site,
  act: (newPage: () => Promise<Page>, context: BrowserContext) => Promise<T>,
): Promise<T> {
  const context = await profile.open()
  const newPage = async () => {
    const page = await context.newPage()
    page.on("pageerror", (error) => process.stderr.write(`The page failed: ${error.message}\n`))
    await page.goto(site.url)
    await page.waitForFunction(() => "bench" in globalThis)
    return page
  }
  try {
    return await act(newPage, context)
  } finally {
    await context.close()
  }
}

type Closable = { close(): Promise<void> }

async function end(edge: TestEdge, made: readonly (Promise<Closable> | undefined)[]): Promise<void> {
  await Promise.all([edge.stop(), ...made.map(async (one) => (await one)?.close())])
}

/** Makes something when it is asked for, and not again. */
function once<T>(make: () => Promise<T>): { get(): Promise<T>; made(): Promise<T> | undefined } {
  let made: Promise<T> | undefined
  return {
    get() {
      made ??= make()
      return made
    },
    made: () => made,
  }
}
