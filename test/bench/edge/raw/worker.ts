import { DurableObject } from "cloudflare:workers"

/*
 * The least that an edge can do: one row, one acknowledgement, a bare loop over the sockets, the stored bytes as they
 * are. It checks nothing and promises nothing; it is what ours is measured beside.
 */

type Env = { readonly RAW: DurableObjectNamespace<RawObject> }

const ACK = "ok"

export class RawObject extends DurableObject<Env> {
  readonly #sql: SqlStorage

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#sql = state.storage.sql
    this.#sql.exec("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
  }

  override async fetch(request: Request): Promise<Response> {
    switch (request.method) {
      case "POST": {
        this.#append(await request.arrayBuffer(), undefined)
        return new Response(null, { status: 204 })
      }
      case "HEAD":
        return new Response(null, { headers: { "row-count": String(this.#rowCount()) } })
      default:
        return request.headers.has("upgrade") ? this.#openSocket() : this.#read(new URL(request.url))
    }
  }

  override webSocketMessage(socket: WebSocket, body: ArrayBuffer): void {
    this.#append(body, socket)
    socket.send(ACK)
  }

  override webSocketClose(socket: WebSocket): void {
    socket.close()
  }

  #append(body: ArrayBuffer, from: WebSocket | undefined): void {
    this.#sql.exec("INSERT INTO rows (body) VALUES (?)", body)
    for (const socket of this.ctx.getWebSockets()) if (socket !== from) socket.send(body)
  }

  #rowCount(): number {
    return Number(this.#sql.exec("SELECT max(id) AS id FROM rows").one().id ?? 0)
  }

  #openSocket(): Response {
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    return new Response(null, { status: 101, webSocket: client })
  }

  /** Every row from the one that `?from` names on, each as it is asked for. */
  #read(url: URL): Response {
    const sql = this.#sql
    let id = Number(url.searchParams.get("from") ?? 0)
    const rows = new ReadableStream<Uint8Array>({
      pull(controller) {
        const [row] = sql.exec("SELECT id, body FROM rows WHERE id > ? ORDER BY id LIMIT 1", id)
        if (row === undefined) return controller.close()
        id = Number(row.id)
        controller.enqueue(new Uint8Array(row.body as ArrayBuffer)) // the column holds nothing else
      },
    })
    return new Response(rows)
  }
}

export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === "/health") return new Response(ACK)
    return env.RAW.getByName(pathname).fetch(request)
  },
}
