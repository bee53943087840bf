import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, test } from "vitest"
import { edgeArguments } from "../../scripts/arguments.mjs"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { newIssuer } from "../support/issuer.ts"

const script = (name: string) => fileURLToPath(new URL(`../../scripts/${name}`, import.meta.url))

/** How a command ends that refuses to begin. */
function run(name: string, ...words: string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [script(name), ...words], { stdio: ["ignore", "pipe", "pipe"] })
  let stderr = ""
  child.stderr.on("data", (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve) => child.once("exit", (code) => resolve({ code, stderr })))
}

const edges: TestEdge[] = []

afterAll(() => Promise.all(edges.map((edge) => edge.stop())))

describe("[ACCESS10] nothing is open by accident", () => {
  test.each(["0.0.0.0", "::", "192.168.1.5"])("an edge for %s without keys does not start", async (host) => {
    const { code, stderr } = await run("edge.mjs", "--port", "0", "--host", host)
    expect(code).toBe(2)
    expect(stderr).toMatch(/--host .* lets other machines in, and no keys are given.*ACCESS_ISSUER/s)
  })

  test("an edge without keys is not deployed, nor with a part of what says whose tokens count", async () => {
    const given = ["--var", "ACCESS_ISSUER:https://issuer.example", "ACCESS_AUDIENCE:edge"]
    for (const words of [[], given.slice(0, 2), given]) {
      const { code, stderr } = await run("deploy.mjs", ...words)
      expect(code).toBe(2)
      expect(stderr).toMatch(/^.*ACCESS_ALGORITHMS must be in \[vars\] of wrangler\.toml/)
    }
  })

  test("an edge for this machine is open without keys, and not with them", async () => {
    const issuer = await newIssuer()
    const [open, closed] = await Promise.all([startEdge(), startEdge({ vars: issuer.vars })])
    edges.push(open, closed)
    const status = async ({ url }: TestEdge) => (await fetch(`${url}/v1/stream/none`)).status
    expect([await status(open), await status(closed)]).toEqual([404, 401])
    const headers = { authorization: `Bearer ${await issuer.token("ada")}` }
    expect((await fetch(`${closed.url}/v1/stream/none`, { headers })).status).toBe(404)
  })
})

test("[ACCESS10] variables come by the command line, whatever is in them", () => {
  const { vars } = edgeArguments(["--var", "A=1", "--var", "B=a=b c,{}", "--var", "A=2", "--var", "C="])
  expect(vars).toEqual({ A: "2", B: "a=b c,{}", C: "" })
  for (const wrong of ["A", "=1", "1=a", ""]) {
    expect(() => edgeArguments(["--var", wrong])).toThrow(`--var must be NAME=VALUE; "${wrong}" came.`)
  }
})
