import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http"

/** A client that keeps its connections and does nothing else: what it costs is in the figures of both sides. */
export type HttpLoad = {
  /** @throws Error when the answer's status is not one of success. */
  ask(url: string, init?: Asked): Promise<Answer>
  close(): void
}

export type Asked = {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
}

/** The body is counted, not kept. */
export type Answer = { readonly headers: IncomingHttpHeaders; readonly bytes: number }

export function openHttpLoad(): HttpLoad {
  const agent = new Agent({ keepAlive: true })
  return { ask: (url, init = {}) => ask(agent, url, init), close: () => agent.destroy() }
}

function ask(agent: Agent, url: string, { method = "GET", headers = {}, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) }
    const sent = request(url, { agent, method, headers: { ...headers, ...length } }, (answer) => {
      const { statusCode = 0 } = answer
      let bytes = 0
      answer.on("data", (part: Buffer) => {
        bytes += part.length
      })
      answer.on("error", reject)
      answer.on("end", () => {
        if (statusCode >= 200 && statusCode < 300) resolve({ headers: answer.headers, bytes })
        else reject(new Error(`${method} ${url} was answered ${statusCode}.`))
      })
    })
    sent.on("error", reject)
    sent.end(body)
  })
}
