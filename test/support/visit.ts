import type { BrowserContext, Page } from "playwright-core"

/** Opens the test app of `test/e2e/app` on a new page of the context, at an edge, with its streams below `path`. */
export async function visit(
  context: BrowserContext,
  site: string,
  edge: string,
  path: string,
): Promise<Page> {
  const page = await context.newPage()
  await page.goto(site)
  await page.evaluate(([to, at]) => app.open(to, at), [edge, path] as const)
  return page
}

export const rowsOf = (page: Page) => page.evaluate(() => app.rows())
export const pendingOf = (page: Page) => page.evaluate(() => app.pending())
export const connectionOf = (page: Page, stream: string) =>
  page.evaluate((of) => app.status().streams[of]?.connection, stream)
