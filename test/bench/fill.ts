const EVENTS_PER_POST = 1_000
const JSON_TYPE = { "content-type": "application/json" }

/** Makes a stream at the edge by plain HTTP. */
export async function createStream(url: string): Promise<void> {
  await ask(url, { method: "PUT", headers: JSON_TYPE })
}

/**
 * Makes a stream of `count` events of about 150 bytes, as any producer could. They are numbered from 0, and begin again
 * after `numbers` of them.
 */
export async function fillStream(url: string, count: number, numbers = count): Promise<void> {
  await createStream(url)
  for (let from = 0; from < count; from += EVENTS_PER_POST) {
    const events = Array.from({ length: Math.min(EVENTS_PER_POST, count - from) }, (_, i) =>
      eventOf((from + i) % numbers),
    )
    await ask(url, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(events) })
  }
}

/** The offset at which a stream ends. */
export async function tailOf(url: string): Promise<string> {
  const tail = (await ask(url, { method: "HEAD" })).headers.get("stream-next-offset")
  if (tail === null) throw new Error(`HEAD ${url} was answered without an offset.`)
  return tail
}

/** An event as one of our clients writes it. */
export function eventOf(n: number): object {
  const time = new Date(Date.UTC(2026, 0, 1) + n).toISOString()
  const data = { n, at: 0, text: `item ${n}` }
  return { id: crypto.randomUUID(), type: "item.added", source: "bench", time, data }
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init)
  if (!answer.ok)
    throw new Error(`${init.method} ${url} was answered ${answer.status}: ${await answer.text()}`)
  return answer
}
