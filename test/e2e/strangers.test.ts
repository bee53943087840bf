import { createServer } from "node:http"
import { describe, expect, test } from "vitest"
import { setStage } from "../support/stage.ts"
import { connectionOf, pendingOf, rowsOf, visit } from "../support/visit.ts"

const stage = setStage()

describe("an address that is no edge", () => {
  test("[CONN8] answers with a page of its own: nothing of it is taken, the status says what was expected", async () => {
    const portal = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html", "access-control-allow-origin": "*" })
      response.end("<h1>Welcome to our network</h1>")
    })
    await new Promise<void>((resolve) => portal.listen(0, "127.0.0.1", resolve))
    const address = portal.address()
    const port = address !== null && typeof address === "object" ? address.port : 0
    const context = await stage.browser.newContext()
    const page = await visit(context, stage.site.url, `http://127.0.0.1:${port}`, "portal")
    await page.evaluate(() => app.burst("A", 0, 3))
    const lastError = () => page.evaluate(() => app.status().streams["portal/lines"]?.lastError)
    await expect.poll(lastError).toMatchObject({ code: "not-an-edge" })
    expect((await lastError())?.message).toMatch(/Headwater-Edge.*gave 200 with text\/html/)
    await expect.poll(() => pendingOf(page)).toBe(3)
    expect(await rowsOf(page)).toHaveLength(3)
    await context.close()
    portal.close()
  })

  test("[CONN4] a stream of bytes is left alone", async () => {
    const made = await fetch(`${stage.edge.url}/v1/stream/bytes/lines`, { method: "PUT", body: "not JSON" })
    expect(made.status).toBe(201)
    const context = await stage.browser.newContext()
    const page = await visit(context, stage.site.url, stage.edge.url, "bytes")
    await page.evaluate(() => app.burst("A", 0, 3))
    await expect.poll(() => connectionOf(page, "bytes/lines")).toBe("stopped")
    expect(await page.evaluate(() => app.status().streams["bytes/lines"]?.stopReason)).toBe("not-json")
    await expect.poll(() => pendingOf(page)).toBe(3)
    expect(await (await fetch(`${stage.edge.url}/v1/stream/bytes/lines`)).text()).toBe("not JSON")
    await context.close()
  })
})

describe("a stream that others end", () => {
  test("[CONN4] closed: receipts are rejected, and the events are listed with the reason", async () => {
    const context = await stage.browser.newContext()
    const page = await visit(context, stage.site.url, stage.edge.url, "closed")
    await page.evaluate(() => app.add("A", 0))
    await expect.poll(() => page.evaluate(() => app.confirmed)).toBe(1)
    const close = { method: "POST", headers: { "stream-closed": "true" } }
    expect((await fetch(`${stage.edge.url}/v1/stream/closed/lines`, close)).status).toBe(204)
    await expect.poll(() => connectionOf(page, "closed/lines")).toBe("stopped")
    const code = await page.evaluate(async () => {
      const receipt = await app.lines.append("line.added", { author: "A", n: 1, text: "late" })
      return receipt.confirmed.catch((error: { code: string }) => error.code)
    })
    expect(code).toBe("rejected")
    await expect.poll(() => pendingOf(page)).toBe(0)
    const refused = await page.evaluate(() => app.lines.rejected())
    expect(refused).toMatchObject([{ data: { n: 1, text: "late" }, error: { code: "rejected" } }])
    await context.close()
  })

  test("[CONN4] deleted: the client stops, and does not make it anew behind the owner's back", async () => {
    const context = await stage.browser.newContext()
    const page = await visit(context, stage.site.url, stage.edge.url, "deleted")
    await page.evaluate(() => app.add("A", 0))
    await expect.poll(() => page.evaluate(() => app.confirmed)).toBe(1)
    expect((await fetch(`${stage.edge.url}/v1/stream/deleted/lines`, { method: "DELETE" })).status).toBe(204)
    await expect.poll(() => connectionOf(page, "deleted/lines")).toBe("stopped")
    expect((await fetch(`${stage.edge.url}/v1/stream/deleted/lines`)).status).toBe(404)
    expect(await rowsOf(page)).toHaveLength(1)
    await context.close()
  })
})
