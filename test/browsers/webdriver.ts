/** A session of W3C WebDriver, the older protocol of plain requests, as far as WebKitGTK needs it here. */
export class WebDriverSession {
  readonly #url: string
  /** The window that was there first. It stays open, since a new one can be asked for only in an open one. */
  readonly #home: string
  readonly browserVersion: string
  /** The protocol knows one current window, so whoever means another waits for its turn. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(url: string, home: string, browserVersion: string) {
    this.#url = url
    this.#home = home
    this.browserVersion = browserVersion
  }

  /** @param driver Where the driver listens. It starts the browser that the capabilities name. */
  static async start(driver: string, capabilities: object): Promise<WebDriverSession> {
    const made = await ask("POST", `${driver}/session`, { capabilities: { alwaysMatch: capabilities } })
    const { sessionId, capabilities: found } = made as {
      sessionId: string
      capabilities: { browserVersion: string }
    } // the protocol's form
    const url = `${driver}/session/${sessionId}`
    const home = String(await ask("GET", `${url}/window`))
    return new WebDriverSession(url, home, found.browserVersion)
  }

  /** The handle of a new tab. */
  async newWindow(): Promise<string> {
    const made = await this.inWindow(this.#home, "POST", "/window/new", { type: "tab" })
    return (made as { handle: string }).handle // as above
  }

  /** The handles of all tabs that are open. */
  async windows(): Promise<readonly string[]> {
    return (await this.#inTurn(() => ask("GET", `${this.#url}/window/handles`))) as string[] // as above
  }

  inWindow(window: string, method: "POST" | "DELETE", path: string, body?: object): Promise<unknown> {
    return this.#inTurn(async () => {
      await ask("POST", `${this.#url}/window`, { handle: window })
      return ask(method, this.#url + path, body)
    })
  }

  end(): Promise<unknown> {
    return this.#inTurn(() => ask("DELETE", this.#url))
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act)
    this.#turn = turn.catch(() => {}) // whoever asked hears of it
    return turn
  }
}

async function ask(method: string, url: string, body?: object): Promise<unknown> {
  const request = body === undefined ? { method } : { method, body: JSON.stringify(body) }
  const answer = await fetch(url, request)
  const { value } = (await answer.json()) as { value: unknown } // the protocol's form
  if (answer.ok) return value
  const { error, message } = value as { error: string; message: string } // as above
  throw new Error(`${error}: ${message}`)
}
