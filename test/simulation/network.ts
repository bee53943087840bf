import type { Socket, SocketListener } from "../../client/host.ts"
import { Connection, type CutKind, type Traffic } from "./connection.ts"
import type { Owner } from "./disk.ts"
import type { Edge } from "./edge.ts"
import { type Portal, portalAnswer } from "./portal.ts"
import type { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"
import type { Trace } from "./trace.ts"

/** How the way between one device and the edge misbehaves. Chances are per request. */
export type NetworkFaults = {
  readonly delayMs: number
  /** The request gets lost and nobody is told. */
  readonly requestLost: number
  /** The edge has done it, and the answer gets lost: with an error, or silently. */
  readonly answerLost: number
  /** The answer breaks off in its middle. */
  readonly answerTorn: number
}

export const SOUND_NETWORK: NetworkFaults = { delayMs: 8, requestLost: 0, answerLost: 0, answerTorn: 0 }

export type NetworkParts = {
  readonly name: string
  readonly scheduler: Scheduler
  readonly random: Random
  readonly trace: Trace
  readonly edge: Edge
}

const FATES = ["error", "silence"] as const

/** One device's way to the edge. */
export class Network {
  faults = SOUND_NETWORK
  readonly traffic: Traffic = { sent: 0, arrived: 0 }
  readonly #parts: NetworkParts
  readonly #connections = new Set<Connection>()
  readonly #lingering: (() => void)[] = []
  /** Also those that were closed: what was sent on them may still be on the way. */
  readonly #everOpened: Connection[] = []
  readonly #requests = new Map<Owner, number>()
  #isAway = false
  #portal: Portal | undefined
  /** Requests and sockets so far. */
  asked = 0
  /** Hears the address of each request that leaves. */
  onRequest: (url: string) => void = () => {}

  constructor(parts: NetworkParts) {
    this.#parts = parts
  }

  /** As a browser's `fetch`, for a tab that lives. */
  fetch(owner: Owner, url: string, init: RequestInit): Promise<Response> {
    this.asked++
    this.onRequest(url)
    this.#count(owner, 1)
    return new Promise<Response>((resolve, reject) => {
      const settle = (act: () => void) => owner.turn(act)
      const fail = () => settle(() => reject(new TypeError("fetch failed")))
      init.signal?.addEventListener("abort", () =>
        settle(() => reject(new DOMException("Aborted", "AbortError"))),
      )
      this.#send(owner, new Request(url, { method: init.method ?? "GET", headers: init.headers ?? {} }), {
        answer: (response) => settle(() => resolve(response)),
        fail,
      })
    }).finally(() => this.#count(owner, -1))
  }

  openSocket(owner: Owner, url: string, listener: SocketListener): Socket {
    const { scheduler, random, edge } = this.#parts
    const { faults, traffic } = this
    const sending = () => {
      for (const arrive of this.#lingering.splice(0)) arrive()
    }
    const parts = { scheduler, random, edge, delayMs: faults.delayMs, traffic, sending }
    const connection = new Connection(owner, url, listener, parts, (ended) => this.#connections.delete(ended))
    this.asked++
    this.#connections.add(connection)
    this.#everOpened.push(connection)
    if (this.#portal !== undefined) connection.cut("edge is deaf")
    if (this.#isAway) connection.hold()
    return connection.client
  }

  /** How many requests and sockets a tab has. */
  usedBy(owner: Owner): number {
    const sockets = [...this.#connections].filter((connection) => connection.owner === owner).length
    return sockets + (this.#requests.get(owner) ?? 0)
  }

  /** The tab is gone: its browser hangs up. After a power cut nobody does. */
  abandon(owner: Owner, hangsUp: boolean): void {
    for (const connection of [...this.#connections]) {
      if (connection.owner !== owner) continue
      if (!hangsUp) connection.cut("both are deaf")
      connection.client.close()
    }
    this.#requests.delete(owner)
  }

  /** One of the open sockets breaks. */
  cutOne(kind: CutKind): void {
    if (this.#connections.size === 0) return
    this.#parts.trace.fault(`socket cut, ${kind}`, this.#parts.name)
    this.#parts.random.pick([...this.#connections]).cut(kind)
  }

  /** All open sockets break, and both ends hear of it. */
  cutAll(): void {
    for (const connection of [...this.#connections]) connection.cut("both hear")
  }

  /** All sockets break, or one tab's, and nothing that is on the way arrives. */
  loseAll(owner?: Owner): void {
    for (const connection of this.#of(owner)) connection.lose()
  }

  /** Nothing that was ever sent arrives any more: as after a time that no network bridges. */
  loseEverything(): void {
    for (const connection of this.#everOpened.splice(0)) connection.lose()
    this.#lingering.length = 0
  }

  /** All sockets break, or one tab's, and what is on the way arrives right before the next batch of this device. */
  lingerAll(owner?: Owner): void {
    for (const connection of this.#of(owner)) this.#lingering.push(...connection.lose())
  }

  /** What the tab sends on one of its sockets takes so long from now on: perhaps longer than it keeps the socket. */
  slowOne(delayMs: number): void {
    if (this.#connections.size === 0) return
    this.#parts.trace.fault("socket crawls", this.#parts.name)
    this.#parts.random.pick([...this.#connections]).slow(delayMs)
  }

  /** Nothing gets through until `comeBack`; sockets break, or wait as TCP does. */
  goAway(): void {
    if (this.#isAway) return
    this.#isAway = true
    this.#parts.trace.fault("network away", this.#parts.name)
    for (const connection of [...this.#connections]) {
      if (this.#parts.random.chance(0.5)) connection.hold()
      else
        connection.cut(
          this.#parts.random.pick(["both hear", "edge is deaf", "client is deaf", "both are deaf"]),
        )
    }
  }

  /** Somebody else answers instead of the edge until `comeBack`, and no socket gets through. */
  meetPortal(portal: Portal): void {
    if (this.#isAway || this.#portal !== undefined) return
    this.#portal = portal
    this.#parts.trace.fault(`portal says ${portal.status}`, this.#parts.name)
    for (const connection of [...this.#connections]) connection.cut("both hear")
  }

  comeBack(): void {
    this.#isAway = false
    this.#portal = undefined
    for (const connection of this.#connections) {
      connection.slow(this.faults.delayMs)
      connection.release()
    }
  }

  #send(owner: Owner, request: Request, then: { answer(response: Response): void; fail(): void }): void {
    const { scheduler, random, edge, trace } = this.#parts
    const later = (label: string, act: () => void) =>
      scheduler.after(random.delay(this.faults.delayMs), `${owner.name} ${label}`, act)
    this.traffic.sent++
    if (this.#isAway) return this.#lose(then.fail)
    const portal = this.#portal
    if (portal !== undefined) return void later("portal answers", () => then.answer(portalAnswer(portal)))
    if (random.chance(this.faults.requestLost)) {
      trace.fault("request lost", owner.name)
      return this.#lose(then.fail)
    }
    later(`${request.method} arrives`, () => {
      this.traffic.arrived++
      if (!edge.isUp) return void later("refused", then.fail)
      const life = edge.life
      const arrived = async () => {
        const answer = await copied(await edge.answer(request), this.#isTorn(owner))
        if (edge.life !== life || this.#isAway || this.#isAnswerLost(owner)) this.#lose(then.fail)
        else later(`${answer.status} ${request.method}`, () => then.answer(answer))
      }
      arrived().catch((error: unknown) => trace.bug(error))
    })
  }

  /** The client is told, or finds out by waiting. */
  #lose(fail: () => void): void {
    const { scheduler, random } = this.#parts
    if (random.pick(FATES) === "error") scheduler.after(random.delay(50), "request fails", fail)
  }

  #isTorn(owner: Owner): boolean {
    const isTorn = this.#parts.random.chance(this.faults.answerTorn)
    if (isTorn) this.#parts.trace.fault("answer torn", owner.name)
    return isTorn
  }

  #isAnswerLost(owner: Owner): boolean {
    const isLost = this.#parts.random.chance(this.faults.answerLost)
    if (isLost) this.#parts.trace.fault("answer lost", owner.name)
    return isLost
  }

  #of(owner: Owner | undefined): Connection[] {
    return [...this.#connections].filter((connection) => owner === undefined || connection.owner === owner)
  }

  #count(owner: Owner, change: number): void {
    this.#requests.set(owner, (this.#requests.get(owner) ?? 0) + change)
  }
}

/** What a browser makes of an answer that has crossed a network, whole or broken off. */
async function copied(response: Response, isTorn: boolean): Promise<Response> {
  const text = await response.text()
  const { status, headers } = response
  if (status === 204 || status === 304) return new Response(null, { status, headers })
  return new Response(isTorn ? tornStream(text) : text, { status, headers })
}

function tornStream(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text.slice(0, text.length / 2)))
      controller.error(new TypeError("terminated"))
    },
  })
}
