import { app } from "./http/app.ts"

export { DirectoryObject } from "./directory/directory-object.ts"
export type { Env } from "./env.ts"
export { PrincipalObject } from "./limits/principal-object.ts"
export { StreamObject } from "./stream/stream-object.ts"
export { FoldObject } from "./view/fold-object.ts"
export { ViewObject } from "./view/view-object.ts"

export default app
