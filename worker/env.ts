import type { Variables } from "./access/access.ts"
import type { DirectoryObject } from "./directory/directory-object.ts"
import type { PrincipalObject } from "./limits/principal-object.ts"
import type { StreamObject } from "./stream/stream-object.ts"
import type { FoldObject } from "./view/fold-object.ts"
import type { ViewObject } from "./view/view-object.ts"

/** What the runtime binds, by the names of wrangler.toml. */
export type Env = Variables & {
  readonly STREAMS: DurableObjectNamespace<StreamObject>
  /** Where the streams of each principal are counted, when callers are known. */
  readonly PRINCIPALS?: DurableObjectNamespace<PrincipalObject>
  /** Views by name, the folds that hold their rows, and which streams there are. Views need all three. */
  readonly VIEWS?: DurableObjectNamespace<ViewObject>
  readonly FOLDS?: DurableObjectNamespace<FoldObject>
  readonly DIRECTORY?: DurableObjectNamespace<DirectoryObject>
  /** Where old batches go. Without it they stay in the stream's object, which holds 10 GB. */
  readonly SEGMENTS?: R2Bucket
  /** Where a data point for each request goes. Without it there are none. */
  readonly METER?: AnalyticsEngineDataset
}
