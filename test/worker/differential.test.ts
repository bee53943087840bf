import fc from "fast-check"
import { expect, test } from "vitest"
import type { AppendReply } from "../../shared/frames.ts"
import { ask, create, EdgeSocket, newStream } from "./edge-client.ts"

/*
 * The same appends through both transports, on two streams of the same name apart from a letter: equal
 * statuses, equal headers, and equal bytes in the log. Offsets differ by the time of creation, which is cut
 * off.
 */

const RUNS = Number(process.env.HEADWATER_RUNS ?? 40)

type Operation = {
  readonly producer?: { readonly id: string; readonly epoch: number; readonly seq: number }
  readonly streamSeq?: string
  readonly contentType?: string
  readonly close: boolean
  readonly body: string
}

const json = fc.oneof(
  fc.json({ maxDepth: 3 }).map((text) => text),
  fc.constantFrom(
    "1.0",
    "1e2",
    `"\\u0000"`,
    `"é😀"`,
    "{",
    "",
    " ",
    `[1] , [2]`,
    "1],[2",
    `{"a":"],["}`,
    "[]",
  ),
)

const operation: fc.Arbitrary<Operation> = fc.record(
  {
    producer: fc.record({
      id: fc.constantFrom("p", "q", "", "x".repeat(257)),
      epoch: fc.constantFrom(0, 0, 0, 1, 2),
      seq: fc.constantFrom(0, 1, 2, 3, 4),
    }),
    streamSeq: fc.constantFrom("a", "b", "c", "d"),
    contentType: fc.constantFrom("application/json", "APPLICATION/JSON; charset=utf-8", "text/plain"),
    close: fc.constant(false),
    body: fc.array(json, { maxLength: 3 }).map((messages) => messages.join(",")),
  },
  { requiredKeys: ["close", "body"] },
)

const operations = fc
  .tuple(fc.array(operation, { minLength: 1, maxLength: 12 }), fc.boolean())
  .map(([all, closes]) => all.map((one, at) => ({ ...one, close: closes && at === all.length - 1 })))

type Answer = { readonly status: number; readonly headers: Record<string, string> }

async function overHttp(
  path: string,
  { producer, streamSeq, contentType, close, body }: Operation,
): Promise<Answer> {
  const headers = new Headers({ "content-type": contentType ?? "application/json" })
  if (producer !== undefined) {
    headers.set("producer-id", producer.id)
    headers.set("producer-epoch", String(producer.epoch))
    headers.set("producer-seq", String(producer.seq))
  }
  if (streamSeq !== undefined) headers.set("stream-seq", streamSeq)
  if (close) headers.set("stream-closed", "true")
  const response = await ask(path, { method: "POST", headers, body: body === "" ? "" : `[${body}]` })
  await response.arrayBuffer()
  return { status: response.status, headers: comparable(Object.fromEntries(response.headers)) }
}

async function overSocket(socket: EdgeSocket, id: number, { producer, ...rest }: Operation): Promise<Answer> {
  const numbered = producer && { producer: producer.id, epoch: producer.epoch, seq: producer.seq }
  const heard = await socket.append({ id, ...rest, ...numbered })
  expect(heard.length).toBe(1) // one's own data is not repeated
  const { status, headers } = heard[0] as AppendReply
  return { status, headers: comparable({ ...headers }) }
}

/** The headers of the protocol, without the generation in offsets. */
function comparable(headers: Record<string, string>): Record<string, string> {
  const ours = Object.entries(headers).filter(([name]) => /^(stream|producer)-/.test(name))
  return Object.fromEntries(ours.map(([name, value]) => [name, value.replace(/^[0-9a-z]{9}_/, "")]))
}

test("[WS11] appends over HTTP and over a socket get equal answers and leave equal bytes", async () => {
  await fc.assert(
    fc.asyncProperty(operations, async (all) => {
      const [plain, live] = [newStream(), newStream()]
      await Promise.all([create(plain), create(live)])
      const socket = await EdgeSocket.open(live, "now")
      await socket.next()
      for (const [id, one] of all.entries())
        expect(await overSocket(socket, id, one)).toEqual(await overHttp(plain, one))
      const [one, other] = await Promise.all([ask(plain), ask(live)])
      expect(await one.text()).toBe(await other.text())
      expect(comparable(Object.fromEntries(one.headers))).toEqual(
        comparable(Object.fromEntries(other.headers)),
      )
      socket.close()
    }),
    { numRuns: RUNS, seed: 20_26 },
  )
})
