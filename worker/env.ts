import type { Variables } from "./access/access.ts"
import type { StreamObject } from "./stream/stream-object.ts"

/** What the runtime binds, by the names of wrangler.toml. */
export type Env = Variables & {
  readonly STREAMS: DurableObjectNamespace<StreamObject>
  /** Where old batches go. Without it they stay in the stream's object, which holds 10 GB. */
  readonly SEGMENTS?: R2Bucket
}
