import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { startEdge, type TestEdge } from "../support/edge.ts"

/*
 * What npm carries, in an app that knows nothing but its name: no plug-in, no configuration, no worker file. Vite's
 * development server moves the modules of packages, its build renames them; the thread must start in both.
 */

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const VITE = `${ROOT}node_modules/vite/bin/vite.js`

const PAGE = `<!doctype html><title>App</title><script type="module" src="/main.js"></script>`
const MAIN = `
import { connect, defineStream, defineView } from "headwater"

const anything = { "~standard": { version: 1, vendor: "app", validate: (value) => ({ value }) } }
const notes = defineStream({ "note.written": anything })
const board = defineView({
  notes: {
    from: notes,
    table: "CREATE TABLE notes (text TEXT) STRICT",
    on: { "note.written": "INSERT INTO notes (text) VALUES (:text)" },
  },
})

async function run() {
  const client = await connect({ edge: new URLSearchParams(location.search).get("edge") })
  const receipt = await client.stream(notes, "app/notes").append("note.written", { text: "from the package" })
  await receipt.confirmed
  const view = await client.view(board, { notes: "app/notes" })
  return (await view.query("SELECT text FROM notes"))[0].text
}

run().then((text) => { document.title = text }, (reason) => { document.title = "failed: " + reason })
`

let app: string
let edge: TestEdge
let browser: Browser

beforeAll(async () => {
  app = await freshApp()
  edge = await startEdge()
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await edge?.stop()
  await rm(app, { recursive: true, force: true })
})

test("[PKG1] the packed client works in a Vite app as built", async () => {
  execFileSync(process.execPath, [VITE, "build", "--logLevel", "warn"], { cwd: app })
  expect(await titleUnder("preview")).toBe("from the package")
})

test("[PKG2] the packed client works in a Vite app under development", async () => {
  expect(await titleUnder("dev")).toBe("from the package")
})

test("[PKG3] the page's part of the package carries no SQLite and no storage", async () => {
  const page = await readFile(join(app, "node_modules/headwater/dist/client/index.js"), "utf8")
  expect(page).not.toMatch(/sqlite3_|indexedDB/)
})

/** An app folder with the packed project and what it depends on, as `npm install` would leave it. */
async function freshApp(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "headwater-app-"))
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: ROOT })
  const modules = join(folder, "node_modules")
  await mkdir(join(modules, "headwater"), { recursive: true })
  const tarball = packed.toString().trim().split("\n").at(-1) ?? ""
  execFileSync("tar", [
    "xzf",
    join(folder, tarball),
    "--strip-components=1",
    "-C",
    join(modules, "headwater"),
  ])
  const { dependencies } = JSON.parse(await readFile(join(modules, "headwater/package.json"), "utf8"))
  for (const name of Object.keys(dependencies)) {
    await cp(`${ROOT}node_modules/${name}`, join(modules, name), { recursive: true })
  }
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ name: "app", private: true, type: "module" }),
  )
  await writeFile(join(folder, "index.html"), PAGE)
  await writeFile(join(folder, "main.js"), MAIN)
  return folder
}

/** The title that the app gives its page once it is through, served by a command of Vite. */
async function titleUnder(command: "dev" | "preview"): Promise<string> {
  const port = await freePort()
  const args = [VITE, command, "--host", "127.0.0.1", "--port", String(port), "--strictPort"]
  const server = spawn(process.execPath, args, { cwd: app, stdio: ["ignore", "pipe", "inherit"] })
  const page = await browser.newPage()
  try {
    await printed(server, "Local")
    await page.goto(`http://127.0.0.1:${port}/?edge=${encodeURIComponent(edge.url)}`)
    await page.waitForFunction(() => document.title !== "App", null, { timeout: 30_000 })
    return await page.title()
  } finally {
    await page.close()
    server.kill()
  }
}

function printed(server: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.stdout?.on("data", (chunk) => String(chunk).includes(text) && resolve())
    server.once("exit", (code) => reject(new Error(`Vite ended with ${code}.`)))
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
}
