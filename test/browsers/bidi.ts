type Answer =
  | { readonly type: "success"; readonly id: number; readonly result: object }
  | { readonly type: "error"; readonly id: number; readonly error: string; readonly message: string }
  | { readonly type: "event" }

type Waiter = { resolve(result: object): void; reject(reason: Error): void }

/** A session of WebDriver BiDi, the W3C's protocol to drive browsers by, as far as Firefox needs it here. */
export class BidiSession {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, Waiter>()
  #calls = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.onmessage = ({ data }) => this.#heard(JSON.parse(String(data)) as Answer) // the protocol's form
    socket.onclose = () => this.#end(new Error("The browser has left."))
  }

  /** @param url Where the browser listens, as it says when it starts. */
  static async connect(url: string): Promise<BidiSession> {
    const socket = new WebSocket(`${url}/session`)
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve()
      socket.onerror = () => reject(new Error(`Nobody drives a browser at ${url}.`))
    })
    return new BidiSession(socket)
  }

  /** The result is of the form that the protocol gives to this method's. */
  call<T extends object>(method: string, params: object = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = ++this.#calls
      this.#waiting.set(id, { resolve: (result) => resolve(result as T), reject }) // the caller names the form
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }

  #heard(answer: Answer): void {
    if (answer.type === "event") return
    const waiter = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (answer.type === "success") waiter?.resolve(answer.result)
    else waiter?.reject(new Error(`${answer.error}: ${answer.message}`))
  }

  #end(reason: Error): void {
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
  }
}
