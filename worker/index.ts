import { app } from "./http/app.ts"

export { StreamObject } from "./stream/stream-object.ts"

export default app
