import type { StreamPath } from "../../shared/ids.ts"
import type { Offset } from "../../shared/offset.ts"
import type { Halt } from "../../shared/view/fold.ts"

/** Which rows a snapshot has, in plain data. */
export type SnapshotPlace = {
  readonly heads: Readonly<Record<StreamPath, Offset>>
  readonly halts: readonly Halt[]
  /** How many messages of the streams lie before the heads. */
  readonly messages: number
}

/** The confirmed rows of a view at one place. */
export type Snapshot = SnapshotPlace & { readonly bytes: Uint8Array<ArrayBuffer> }

/**
 * What a device keeps of its views, so that it need not fold their logs again. All of it can be made anew: nothing here
 * is worth an error, so whatever fails is as if there were no snapshot.
 *
 * One for each id, which says what the rows are the fold of but for how far.
 */
export interface Snapshots {
  /** Where the snapshot of an id stands. */
  place(id: string): Promise<SnapshotPlace | undefined>
  /** The snapshot, if it is as it was saved. */
  load(id: string): Promise<Snapshot | undefined>
  /** Saves a snapshot in place of an earlier one, whole or not at all. */
  save(id: string, snapshot: Snapshot): Promise<void>
  drop(id: string): Promise<void>
  /** What is under way completes. Nothing is kept or found afterwards. */
  close(): void
}

/** Where there is no room for any. */
export const NO_SNAPSHOTS: Snapshots = {
  place: async () => undefined,
  load: async () => undefined,
  save: async () => {},
  drop: async () => {},
  close() {},
}
