import { app } from "./http/app.ts"

export type { Env } from "./env.ts"
export { PrincipalObject } from "./limits/principal-object.ts"
export { StreamObject } from "./stream/stream-object.ts"

export default app
