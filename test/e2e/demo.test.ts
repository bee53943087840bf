import type { Browser, BrowserContext, Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { startEdge, type TestEdge } from "../support/edge.ts"

let edge: TestEdge
let browser: Browser
let contexts: BrowserContext[]

beforeAll(async () => {
  browser = await launchChromium()
})

afterAll(() => browser?.close())

beforeEach(async () => {
  contexts = []
  edge = await startEdge({ demo: true })
})

afterEach(async () => {
  await Promise.all(contexts.map((context) => context.close()))
  await edge?.stop()
})

/** Waits for what is read to become what is expected. */
const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 40_000 })

/** A till on a device of its own. */
async function openTill(name: string): Promise<Page> {
  const context = await browser.newContext()
  contexts.push(context)
  const page = await context.newPage()
  await page.goto(edge.url)
  await page.getByLabel("This till is called").fill(name)
  return page
}

const sell = (page: Page, product: string) =>
  page.getByRole("button", { name: `Sell one: ${product}` }).click()

const network = (page: Page) => page.getByRole("switch", { name: "Use the network" })

const orders = (page: Page) => page.locator("#orders li").allInnerTexts()

const summary = (page: Page) => page.locator("#summary").textContent()

/** The figures of a product: left and sold. */
async function figures(page: Page, product: string): Promise<string[]> {
  const cells = await page.getByRole("row").filter({ hasText: product }).getByRole("cell").allInnerTexts()
  return cells.slice(1, 3)
}

async function setUp(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Set up the stall" }).click()
  await eventually(() => figures(page, "Rye loaf")).toEqual(["90", "0"])
}

describe("the demo", () => {
  test("a stall set up by one till is sold from by another, and both see it", async () => {
    const [heron, otter] = await Promise.all([openTill("Heron"), openTill("Otter")])
    await setUp(heron)
    await eventually(() => figures(otter, "Rye loaf")).toEqual(["90", "0"])
    await sell(otter, "Rye loaf")
    await expect
      .poll(() => orders(heron))
      .toEqual([expect.stringMatching(/1 × Rye loaf[\s\S]*Otter.*confirmed/)])
    expect(await figures(heron, "Rye loaf")).toEqual(["89", "1"])
    await heron.getByRole("button", { name: /^Ship order/ }).click()
    await eventually(() => orders(otter)).toEqual([])
    await eventually(() => otter.locator("#log").innerText()).toContain("Heron shipped")
  })

  test("[VIEW40] the console answers for any place of the past, and for now when it comes back", async () => {
    const heron = await openTill("Heron")
    await setUp(heron)
    for (let sold = 1; sold <= 3; sold++) {
      await sell(heron, "Rye loaf")
      await eventually(() => figures(heron, "Rye loaf")).toEqual([String(90 - sold), String(sold)])
    }
    await eventually(() => summary(heron)).toContain("nothing waits")
    await heron.getByLabel("A SELECT on the tables above").fill("SELECT sum(sold) AS pieces FROM sales")
    await heron.getByRole("button", { name: "Ask", exact: true }).click()
    const answer = () => heron.locator("#console-rows td").innerText()
    await eventually(answer).toBe("3")
    const slider = heron.getByLabel("As of order")
    await slider.hover()
    await eventually(() => slider.getAttribute("max")).toBe("3")
    for (const [at, pieces] of [
      ["2", "2"],
      ["1", "1"],
      ["3", "3"],
      ["0", "NULL"],
    ] as const) {
      await slider.fill(at)
      await eventually(answer).toBe(pieces)
    }
    await slider.fill("2")
    await eventually(() => heron.locator("#past-place").innerText()).toContain("2")
    expect(await slider.inputValue()).toBe("2")
    await eventually(answer).toBe("2")
    await slider.fill("3")
    await sell(heron, "Rye loaf")
    await eventually(answer).toBe("4")
  })

  test("the last cake sold twice off the network goes to whom the edge heard first, on every screen", async () => {
    const [heron, otter] = await Promise.all([openTill("Heron"), openTill("Otter")])
    await setUp(heron)
    await eventually(() => figures(otter, "Wedding cake")).toEqual(["1", "0"])
    for (const page of [heron, otter]) {
      await network(page).click()
      await eventually(() => summary(page)).toContain("off the network")
      await sell(page, "Wedding cake")
      await eventually(() => orders(page)).toEqual([expect.stringContaining("waits")])
      expect(await figures(page, "Wedding cake")).toEqual(["0", "1"])
    }
    await network(otter).click()
    await eventually(() => orders(otter)).toEqual([expect.stringContaining("confirmed")])
    await network(heron).click()
    for (const page of [heron, otter]) {
      await eventually(() => figures(page, "Wedding cake")).toEqual(["1 short", "2"])
      await expect
        .poll(() => orders(page))
        .toEqual([expect.stringMatching(/Heron.*short/), expect.stringMatching(/Otter.*confirmed/)])
    }
  })

  test("opens and sells on while the edge is gone, and converges when it is back", async () => {
    const heron = await openTill("Heron")
    await setUp(heron)
    await eventually(() => heron.locator("#shell").textContent()).toContain("opens without a network")
    await eventually(() => summary(heron)).toContain("in step with the edge · nothing waits")
    await edge.kill()
    await heron.reload()
    await eventually(() => figures(heron, "Rye loaf")).toEqual(["90", "0"])
    await sell(heron, "Rye loaf")
    await sell(heron, "Rye loaf")
    await eventually(() => summary(heron)).toContain("2 events wait on this device")
    await heron.reload()
    await eventually(() => figures(heron, "Rye loaf")).toEqual(["88", "2"])
    await edge.restart()
    await expect.poll(() => summary(heron)).toContain("in step with the edge · nothing waits")
    const otter = await openTill("Otter")
    await eventually(() => figures(otter, "Rye loaf")).toEqual(["88", "2"])
    expect((await orders(otter)).length).toBe(2)
  })

  test("stays off the network over a reload until it is switched on again", async () => {
    const heron = await openTill("Heron")
    await setUp(heron)
    await network(heron).click()
    await heron.reload()
    await eventually(() => summary(heron)).toContain("off the network")
    expect(await network(heron).getAttribute("aria-checked")).toBe("false")
    await sell(heron, "Lime honey")
    await eventually(() => summary(heron)).toContain("1 event waits on this device")
    await network(heron).click()
    await eventually(() => summary(heron)).toContain("in step with the edge · nothing waits")
  })

  test("takes the time of a busy hour, and says what is wrong with an event or a question", async () => {
    const heron = await openTill("Heron")
    await setUp(heron)
    await heron.getByRole("button", { name: "Let them in" }).click()
    const crowd = heron.locator("#ledger tr").filter({ hasText: "500 customers" })
    await expect
      .poll(() => crowd.getByRole("cell").allInnerTexts())
      .toEqual([
        expect.stringMatching(/^5\d\d$/),
        ...Array.from({ length: 3 }, () => expect.stringMatching(/^[\d.]+ m?s$/)),
      ])
    await eventually(() => heron.locator("#orders-figure").textContent()).toBe("500 open")

    await heron.getByText("Add a product").click()
    await heron.getByRole("button", { name: "Add", exact: true }).click()
    await eventually(() => heron.locator("#add-error").textContent()).toContain("a product needs a name")

    const sql = heron.locator("#sql")
    await sql.fill("SELECT count(*) AS orders FROM orders WHERE state = 'open'")
    await sql.press("Control+Enter")
    await eventually(() => heron.locator("#console-rows td").allInnerTexts()).toEqual(["500"])
    await sell(heron, "Wedding cake")
    await eventually(() => heron.locator("#console-rows td").allInnerTexts()).toEqual(["501"])
    await sql.fill("DELETE FROM orders")
    await sql.press("Control+Enter")
    await expect
      .poll(() => heron.locator("#console-error").textContent())
      .toContain("expected SELECT, VALUES or WITH")
  })
})
