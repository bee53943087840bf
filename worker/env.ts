import type { StreamObject } from "./stream/stream-object.ts"

/** What the runtime binds, by the names of wrangler.toml. */
export type Env = {
  readonly STREAMS: DurableObjectNamespace<StreamObject>
}
