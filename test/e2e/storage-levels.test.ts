import type { BrowserContext, Page } from "playwright-core"
import { describe, expect, test } from "vitest"
import { setStage } from "../support/stage.ts"
import { connectionOf, pendingOf, rowsOf, visit } from "../support/visit.ts"

const stage = setStage()

/** How an act of the app ended: with nothing, or with an error's code. */
const add = (page: Page, n: number, size = 1) =>
  page.evaluate(
    ([of, length]) => {
      let text = "" // that no disk can make small
      while (text.length < length) text += crypto.randomUUID()
      return app.lines.append("line.added", { author: "A", n: of, text }).then(
        () => "stored",
        (error) => String(error.code),
      )
    },
    [n, size] as const,
  )
const stateOf = (page: Page) => page.evaluate(() => app.client.status.storage.state)
const clear = (page: Page, force: boolean) =>
  page.evaluate(
    (isForced) =>
      app.client.clear({ force: isForced }).then(
        () => "cleared",
        (error) => String(error.code),
      ),
    force,
  )
const databases = (page: Page) => page.evaluate(async () => (await indexedDB.databases()).length)

async function countAtEdge(path: string): Promise<number> {
  const answer = await fetch(`${stage.edge.url}/v1/stream/${path}/lines`)
  return answer.ok ? ((await answer.json()) as unknown[]).length : 0
}

describe("a browser that gives no storage", () => {
  test("[MEMORY1] works in memory, says so, and each of its tabs is a device of its own", async () => {
    const path = "memory/two"
    const context = await stage.browser.newContext()
    await context.addInitScript(() => Object.defineProperty(globalThis, "indexedDB", { value: undefined }))
    const one = await visit(context, stage.site.url, stage.wire.url, path)
    stage.wire.cut()
    await one.evaluate(() => app.burst("one", 0, 20))
    const receipt = one.evaluate(async () => {
      const { local, flushed, confirmed } = await app.lines.append("line.added", {
        author: "one",
        n: 20,
        text: "",
      })
      const levels = await Promise.allSettled([local, flushed])
      return { levels: levels.map(({ status }) => status), confirmed: (await confirmed) !== "" }
    })
    await expect.poll(() => pendingOf(one)).toBe(21)
    expect(await one.evaluate(() => app.client.status.storage)).toMatchObject({
      level: "memory",
      state: "open",
    })
    expect(await rowsOf(one)).toHaveLength(21)
    stage.wire.mend()
    const two = await visit(context, stage.site.url, stage.wire.url, path)
    await two.evaluate(() => app.burst("two", 0, 10))
    for (const page of [one, two]) {
      await expect.poll(() => page.evaluate(() => app.status().role)).toBe("leader")
      await expect.poll(async () => (await rowsOf(page)).map(({ times }) => times)).toEqual(Array(31).fill(1))
      await expect.poll(() => pendingOf(page)).toBe(0)
    }
    expect(await receipt).toEqual({ levels: ["rejected", "rejected"], confirmed: true })
    expect(await countAtEdge(path)).toBe(31)
    await context.close()
  })
})

/** Opens the app where the browser grants this site so little. Answers how to grant as much as ever. */
async function visitCramped(
  context: BrowserContext,
  path: string,
): Promise<{ page: Page; lift(): Promise<void> }> {
  const page = await context.newPage()
  await page.goto(stage.site.url)
  const session = await context.newCDPSession(page)
  const { origin } = new URL(page.url())
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 2_000_000 })
  await page.evaluate(([to, at]) => app.open(to, at), [stage.wire.url, path] as const)
  const lift = async () => void (await session.send("Storage.overrideQuotaForOrigin", { origin }))
  return { page, lift }
}

describe("a browser that has no more space", () => {
  test("[FULL1] refuses with storage-full, keeps what waits, and takes more when there is space, without a reload", async () => {
    const path = "full/quota"
    const context = await stage.browser.newContext()
    stage.wire.cut()
    const { page, lift } = await visitCramped(context, path)
    let stored = 0
    let ended = ""
    while (stored < 100 && ended === "") {
      const outcome = await add(page, stored, 200_000)
      if (outcome === "stored") stored++
      else ended = outcome
    }
    expect(ended).toBe("storage-full")
    expect(stored).toBeGreaterThan(0)
    await expect.poll(() => pendingOf(page)).toBe(stored)
    expect(await rowsOf(page)).toHaveLength(stored)

    await lift()
    expect(await add(page, stored)).toBe("stored")
    stage.wire.mend()
    await expect.poll(() => pendingOf(page)).toBe(0)
    expect(await countAtEdge(path)).toBe(stored + 1)
    await context.close()
  })

  test("[FULL2] a leader without space keeps what it has read, and writes it when there is some", async () => {
    const path = "full/leader"
    const [roomy, cramped] = await Promise.all([stage.browser.newContext(), stage.browser.newContext()])
    const other = await visit(roomy, stage.site.url, stage.wire.url, path)
    for (let n = 0; n < 20; n++) expect(await add(other, n, 200_000)).toBe("stored")
    await expect.poll(() => countAtEdge(path)).toBe(20)
    const { page, lift } = await visitCramped(cramped, path)
    const lastError = () => page.evaluate((of) => app.status().streams[of]?.lastError?.code, `${path}/lines`)
    await expect.poll(lastError).toMatch(/^storage-/)
    await lift()
    await expect.poll(async () => (await rowsOf(page)).map(({ times }) => times)).toEqual(Array(20).fill(1))
    await expect.poll(() => connectionOf(page, `${path}/lines`)).toBe("live")
    const next = await visit(cramped, stage.site.url, stage.wire.url, path) // from the disk
    expect(await rowsOf(next)).toHaveLength(20)
    await Promise.all([roomy.close(), cramped.close()])
  })
})

describe("a page of the log that is damaged", () => {
  test("[DAMAGE2] is read again from the edge, and both tabs have every row once", async () => {
    const path = "damage/page"
    const context = await stage.browser.newContext()
    const one = await visit(context, stage.site.url, stage.wire.url, path)
    for (let n = 0; n < 5; n++) {
      await one.evaluate((of) => app.add("A", of), n)
      await expect.poll(() => one.evaluate(() => app.confirmed)).toBe(n + 1)
    }
    await expect.poll(() => pendingOf(one)).toBe(0)
    await one.evaluate(async () => {
      const [found] = await indexedDB.databases()
      const opening = indexedDB.open(found?.name ?? "")
      await new Promise((resolve) => {
        opening.onsuccess = resolve
      })
      const tx = opening.result.transaction("pages", "readwrite")
      const reading = tx.objectStore("pages").getAll()
      reading.onsuccess = () => {
        const page = reading.result.filter(({ text }) => text !== "")[2]
        tx.objectStore("pages").put({ ...page, text: page.text.slice(0, -10) })
      }
      await new Promise((resolve) => {
        tx.oncomplete = resolve
      })
      opening.result.close()
    })
    const two = await visit(context, stage.site.url, stage.wire.url, path)
    for (const page of [one, two]) {
      await expect
        .poll(async () => (await rowsOf(page)).map(({ n, times }) => [n, times]))
        .toEqual([
          [0, 1],
          [1, 1],
          [2, 1],
          [3, 1],
          [4, 1],
        ])
      await expect.poll(() => connectionOf(page, `${path}/lines`)).toBe("live")
    }
    await two.evaluate(() => app.add("B", 5))
    await expect.poll(async () => (await rowsOf(one)).length).toBe(6)
    await context.close()
  })
})

describe("two versions of an app in one profile", () => {
  test("[DISK13] the older tab is told that it is outdated, and what it had stored is there", async () => {
    const path = "versions/two"
    const context = await stage.browser.newContext()
    stage.wire.cut()
    const page = await visit(context, stage.site.url, stage.wire.url, path)
    await page.evaluate(() => app.burst("A", 0, 10))
    await expect.poll(() => pendingOf(page)).toBe(10)
    const other = await context.newPage()
    await other.goto(stage.site.url)
    const left = await other.evaluate(async () => {
      const [found] = await indexedDB.databases()
      return new Promise<number>((resolve, reject) => {
        const request = indexedDB.open(found?.name ?? "", 99)
        request.onerror = () => reject(request.error)
        request.onsuccess = () => {
          const count = request.result.transaction("outbox").objectStore("outbox").count()
          count.onsuccess = () => resolve(count.result)
        }
      })
    })
    expect(left).toBe(1) // what was appended in one task is one entry
    await expect.poll(() => stateOf(page)).toBe("outdated")
    expect(await add(page, 10)).toBe("outdated")
    expect(await rowsOf(page)).toHaveLength(10)
    stage.wire.mend()
    await context.close()
  })
})

describe("clearing an account from a device", () => {
  test("[CLEAR1] is refused while anything waits, unless it is forced; then nothing is left, in no tab", async () => {
    const path = "clear/two"
    const context = await stage.browser.newContext()
    const one = await visit(context, stage.site.url, stage.wire.url, path)
    const two = await visit(context, stage.site.url, stage.wire.url, path)
    await one.evaluate(() => app.add("A", 0))
    await expect.poll(() => one.evaluate(() => app.confirmed)).toBe(1)
    stage.wire.cut()
    await one.evaluate(() => app.add("A", 1))
    expect(await clear(one, false)).toBe("pending")
    expect(await add(one, 2)).toBe("stored")
    expect(await clear(one, true)).toBe("cleared")
    await expect.poll(() => stateOf(two)).toBe("cleared")
    expect(await add(two, 3)).toBe("closed")
    expect(await add(one, 4)).toBe("closed")
    expect(await databases(two)).toBe(0)
    stage.wire.mend()
    const three = await visit(context, stage.site.url, stage.wire.url, path)
    await expect.poll(() => rowsOf(three)).toHaveLength(1)
    expect(await countAtEdge(path)).toBe(1)
    expect(await clear(three, false)).toBe("cleared")
    expect(await databases(two)).toBe(0)
    await context.close()
  })
})
