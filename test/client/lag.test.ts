import { expect, test, vi } from "vitest"
import { streamStatus, UNKNOWN } from "../../client/status.ts"
import { EMPTY_CHAIN } from "../../shared/chain.ts"
import { issueOffset } from "../../shared/offset.ts"
import { MARK, world } from "./one-stream.ts"

const place = (position: number) => issueOffset({ generation: 1, position, chain: EMPTY_CHAIN })

test("[STATUS2] a log that is being caught up with says how far it still is, from its first page on", async () => {
  const asked: string[] = []
  let release = () => {}
  const answer = (_url: string, { method }: RequestInit) => {
    asked.push(method ?? "")
    if (method === "HEAD") return new Response(null, { headers: { ...MARK, "stream-next-offset": place(9) } })
    const pages = asked.filter((one) => one === "GET").length
    const headers = { ...MARK, "content-type": "application/json", "stream-next-offset": place(2 * pages) }
    if (pages === 1) return new Response("[1,2]", { headers })
    return new Promise<Response>((resolve) => {
      release = () => resolve(new Response("[3,4]", { headers: { ...headers, "stream-up-to-date": "true" } }))
    })
  }
  const { sync, replica } = world({ answer })
  sync.input({ kind: "started" })
  await vi.waitFor(() => expect(asked).toEqual(["GET", "HEAD", "GET"]))
  const status = () => streamStatus(replica, { ...UNKNOWN, tail: sync.tail })
  expect(status()).toMatchObject({ head: place(2), tail: place(9), lag: 7 })
  release()
  await vi.waitFor(() => expect(status()).toMatchObject({ head: place(4), tail: place(4), lag: 0 }))
})
