import { type ChaosWire, layChaosWire } from "../support/chaos-proxy.ts"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { Device, type Tab, type Target } from "./device.ts"
import { Recorder, readLog } from "./recorder.ts"
import type { Rhythm } from "./report.ts"

/** An edge of which every batch is stored each time that it comes. */
export const FORGETFUL = "test/faults/entry/forgetful.ts"

export type Setting = {
  /** The edge's program. Default: the real one. */
  readonly entry?: string
  /** Bytes in one answer of the edge: when few, little is enough to catch up with for a while. Default: its own. */
  readonly readBytesMax?: number
}

type Parts = Pick<Scene, "edge" | "wire" | "recorder" | "device">

/** One device, and a wire to the edge that keeps its events. */
export class Scene {
  readonly edge: TestEdge
  readonly wire: ChaosWire
  readonly recorder: Recorder
  readonly device: Device
  readonly #target: Target

  private constructor({ edge, wire, recorder, device }: Parts, target: Target) {
    this.edge = edge
    this.wire = wire
    this.recorder = recorder
    this.device = device
    this.#target = target
  }

  /** @param path Of the one stream that there is. */
  static async set(site: string, path: string, setting: Setting = {}): Promise<Scene> {
    const recorder = new Recorder()
    const { entry, readBytesMax } = setting
    const vars = readBytesMax === undefined ? {} : { READ_BYTES_MAX: String(readBytesMax) }
    const starting = startEdge({ vars, ...(entry !== undefined && { entry }) })
    const [edge, device] = await Promise.all([starting, Device.start(recorder)])
    const wire = await layChaosWire(edge.url)
    return new Scene({ edge, wire, recorder, device }, { site, edge: wire.url, path })
  }

  get stream(): string {
    return `${this.edge.url}/v1/stream/${this.#target.path}`
  }

  visit(author: string, rhythm?: Rhythm): Promise<Tab> {
    return this.device.visit(author, this.#target, rhythm)
  }

  /** What the edge has of it all. */
  log() {
    return readLog(this.stream)
  }

  async clear(): Promise<void> {
    await this.device.end()
    await this.wire.close()
    await this.edge.stop()
  }
}
