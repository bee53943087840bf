import { edgeFrames } from "./edge-frames.ts"

/** Somebody who reads a JSON stream from its start for as long as it is there, and comes back when it is lost. */
export type Reader = {
  readonly kind: "WebSocket" | "server-sent events" | "long-poll"
  /** Every message so far, in the order in which it came. */
  readonly heard: unknown[]
  /** How often it had to come back. */
  readonly returns: () => number
  close(): void
}

/** What one connection brings: messages, and the offset behind them. Ends when the connection is lost. */
type Connection = (offset: string, signal: AbortSignal) => AsyncIterable<News>

type News = { readonly messages: readonly unknown[]; readonly next: string }

/** Over a WebSocket. */
export function socketReader(url: string): Reader {
  return follow("WebSocket", (offset, signal) => framesOf(url, offset, signal))
}

/** Over server-sent events. */
export function sseReader(url: string): Reader {
  return follow("server-sent events", (offset, signal) => eventsOf(url, offset, signal))
}

/** Over long-polls, each held for so many seconds. */
export function longPollReader(url: string, holdSeconds: number): Reader {
  return follow("long-poll", (offset, signal) => pollsOf(url, offset, holdSeconds, signal))
}

function follow(kind: Reader["kind"], connection: Connection): Reader {
  const end = new AbortController()
  const heard: unknown[] = []
  let connections = 0
  let offset = "-1"
  const run = async () => {
    while (!end.signal.aborted) {
      connections++
      try {
        for await (const { messages, next } of connection(offset, end.signal)) {
          heard.push(...messages)
          offset = next
        }
      } catch (error) {
        if (!isLoss(error) && !end.signal.aborted) throw error
      }
    }
  }
  const running = run()
  running.catch((error) => heard.push({ failed: String(error) })) // what was heard is compared, so it shows
  return { kind, heard, returns: () => connections - 1, close: () => end.abort() }
}

class Lost extends Error {}

/** `fetch` fails with a TypeError when there is nobody to answer, or nobody any more. */
function isLoss(error: unknown): boolean {
  return error instanceof Lost || error instanceof TypeError
}

async function* framesOf(url: string, offset: string, signal: AbortSignal): AsyncGenerator<News> {
  for await (const frame of edgeFrames(url, offset, signal)) {
    if (frame.t === "data") yield { messages: JSON.parse(`[${frame.body}]`), next: frame.next }
  }
}

async function* eventsOf(url: string, offset: string, signal: AbortSignal): AsyncGenerator<News> {
  const { body } = answered(await fetch(`${url}?live=sse&offset=${offset}`, { signal }))
  let text = ""
  let messages: unknown[] = []
  for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      const [name, ...lines] = text.slice(0, end).split("\n")
      text = text.slice(end + 2)
      const data = lines.map((line) => line.replace(/^data:/, "")).join("\n")
      if (name === "event: data") messages = JSON.parse(data)
      else {
        yield { messages, next: JSON.parse(data).streamNextOffset }
        messages = []
      }
    }
  }
}

async function* pollsOf(
  url: string,
  offset: string,
  holdSeconds: number,
  signal: AbortSignal,
): AsyncGenerator<News> {
  const headers = { prefer: `wait=${holdSeconds}` }
  const answer = answered(await fetch(`${url}?live=long-poll&offset=${offset}`, { headers, signal }))
  const next = answer.headers.get("stream-next-offset") ?? offset
  yield { messages: answer.status === 204 ? [] : await answer.json(), next }
}

function answered(answer: Response): Response {
  if (answer.status >= 500) throw new Lost(`The edge answered ${answer.status}.`)
  if (!answer.ok) throw new Error(`The edge answered ${answer.status}.`)
  return answer
}
