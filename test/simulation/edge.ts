import type { FrameData } from "../../shared/frames.ts"
import { PING, PONG } from "../../shared/frames.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { ANYONE } from "../../worker/access/caller.ts"
import type { Env } from "../../worker/env.ts"
import { app } from "../../worker/http/app.ts"
import type { Reader } from "../../worker/stream/stream-host.ts"
import { EdgeObject, type ObjectParts } from "./edge-object.ts"
import { EdgeViews } from "./edge-views.ts"
import type { Random } from "./random.ts"
import type { Trace } from "./trace.ts"

/** The near end of a socket, as the edge has it. */
export interface EdgeSocket {
  /** Where it was opened. */
  readonly url: URL
  send(frame: string): void
  close(code: number): void
  /** The edge's process has died under it. */
  lost(): void
}

/** Sees each append frame as it reaches the edge, and each frame of the edge as it leaves. */
export type EdgeWatcher = {
  asked(socket: EdgeSocket, stream: StreamPath, frame: FrameData): void
  said(socket: EdgeSocket, stream: StreamPath, frame: FrameData): void
}

const SOCKET_LOST = 1006
const PREFIX = "/v1/stream/"

export type EdgeParts = ObjectParts & {
  /** Chances of its views: apart, so that worlds without them stay as they were. */
  readonly viewRandom: Random
}

/** The edge: the production routes in front, one object for each stream behind, all in one process that can die. */
export class Edge {
  readonly #parts: EdgeParts
  readonly #trace: Trace
  readonly #watch: EdgeWatcher
  readonly #objects = new Map<StreamPath, EdgeObject>()
  readonly #sockets = new Map<EdgeSocket, { readonly object: EdgeObject; readonly reader: Reader }>()
  readonly #closed = new Set<StreamPath>()
  readonly #views: EdgeViews
  #isUp = true
  #isDeaf = false
  /** Which process this is. */
  life = 0

  constructor(parts: EdgeParts, trace: Trace, watch: EdgeWatcher) {
    this.#parts = parts
    this.#trace = trace
    this.#watch = watch
    this.#views = new EdgeViews((stream) => this.object(stream), parts.viewRandom)
  }

  get isUp(): boolean {
    return this.#isUp
  }

  object(stream: StreamPath): EdgeObject {
    const known = this.#objects.get(stream)
    if (known !== undefined) return known
    const object = new EdgeObject(this.#parts)
    this.#objects.set(stream, object)
    return object
  }

  /** Answers as the production routes do. Never, when the process dies meanwhile. */
  async answer(request: Request): Promise<Response> {
    const ofView = await this.#views.answer(request)
    if (ofView !== undefined) return ofView
    const env = { ACCESS: "open", STREAMS: { getByName: (path: string) => this.object(path as StreamPath) } }
    return app.fetch(request, env as unknown as Env) // the routes ask of a stub what an object here answers
  }

  open(socket: EdgeSocket): void {
    if (!this.#isUp) return socket.close(SOCKET_LOST)
    const stream = pathOf(socket.url)
    const object = this.object(stream)
    const reader: Reader = {
      caller: ANYONE,
      send: (frame) =>
        object.output(() => {
          this.#watch.said(socket, stream, frame)
          socket.send(String(frame))
        }),
      close: (code) => {
        object.disconnect(reader)
        this.#sockets.delete(socket)
        object.output(() => socket.close(code))
      },
    }
    this.#sockets.set(socket, { object, reader })
    object.connect(reader, socket.url.searchParams.get("offset") ?? "")
  }

  receive(socket: EdgeSocket, frame: string): void {
    const known = this.#sockets.get(socket)
    if (known === undefined) return
    if (frame === PING) return socket.send(PONG) // by the runtime, past the gate
    if (this.#isDeaf) return
    this.#watch.asked(socket, pathOf(socket.url), frame)
    known.object.receive(known.reader, frame)
  }

  /** The other end has closed it, or the network says so. */
  hangUp(socket: EdgeSocket): void {
    const known = this.#sockets.get(socket)
    known?.object.disconnect(known.reader)
    this.#sockets.delete(socket)
  }

  /** The process dies with all its sockets. It takes requests again after `start`. */
  kill(): void {
    this.#isUp = false
    this.life++
    for (const object of this.#objects.values()) object.crash()
    const sockets = [...this.#sockets.keys()]
    this.#sockets.clear()
    for (const socket of sockets) socket.lost()
  }

  start(): void {
    this.#isUp = true
    this.#isDeaf = false
  }

  /** It lives, answers pings and requests, and takes no append from any socket until it is started. */
  deafen(): void {
    this.#trace.fault("edge takes no appends")
    this.#isDeaf = true
  }

  /** Whether some of these events may be refused for good: their device may know of it, and their tab not yet. */
  mayRefuse(stream: StreamPath, events: readonly unknown[]): boolean {
    return this.#closed.has(stream) || events.some((event) => this.#parts.guard(event) !== undefined)
  }

  /** As an operator ends a stream: nothing can be appended to it any more. */
  async close(stream: StreamPath): Promise<void> {
    this.#closed.add(stream)
    const url = `http://localhost${PREFIX}${stream}`
    await this.answer(new Request(url, { method: "POST", headers: { "stream-closed": "true" } }))
  }

  evict(): void {
    this.#trace.fault("evict")
    for (const object of this.#objects.values()) object.evict()
  }

  end(): void {
    for (const object of this.#objects.values()) object.close()
  }
}

function pathOf(url: URL): StreamPath {
  return url.pathname.slice(PREFIX.length) as StreamPath // a client made it of one
}
