import type { StreamPath } from "../../shared/ids.ts"
import { START } from "../../shared/offset.ts"
import { BesideLog } from "../disk/beside-log.ts"
import type { CheckedStorage } from "../disk/checked-storage.ts"
import type { DeviceLog } from "../disk/log.ts"
import type { Host } from "../host.ts"
import type { Replicas } from "../replica/replicas.ts"
import { Importer } from "./importer.ts"
import { LogReaders } from "./log-readers.ts"
import type { Pages } from "./whole-log.ts"

export type Disk = { readonly storage: CheckedStorage; readonly log: DeviceLog }

export type MovingParts = Disk & {
  readonly whole: Pages
  readonly host: Pick<Host, "lock">
  /** Of the account: tabs that share its disk wait for one another by locks. */
  readonly name: string
  readonly replicas: Replicas
  /** The disk has entries of the stream, which this tab shows by now. */
  stored(stream: StreamPath): void
}

/** What a page does with logs besides appending to them and folding them: it reads, exports and imports. */
export class Moving {
  readonly readers: LogReaders
  readonly importer: Importer
  readonly beside: BesideLog

  constructor({ storage, replicas, stored, ...parts }: MovingParts) {
    this.beside = new BesideLog(storage)
    const ours = { ...parts, beside: this.beside }
    this.readers = new LogReaders({ ...ours, head: (of) => replicas.opened(of)?.head ?? START })
    this.importer = new Importer({
      ...ours,
      replica: (of) => replicas.get(of),
      async stored(of) {
        await replicas.refresh(of)
        stored(of)
      },
    })
  }

  /** No lock is held or waited for when it returns. */
  end(): void {
    this.readers.end()
    this.importer.end()
  }
}
