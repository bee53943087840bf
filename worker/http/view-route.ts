import type { Context } from "hono"
import type { Bounds } from "../../shared/limits.ts"
import type { FoldObject } from "../view/fold-object.ts"
import { foldName } from "../view/view-claim.ts"
import type { Current } from "../view/view-core.ts"
import type { ViewObject } from "../view/view-object.ts"
import { refuse } from "./answer.ts"
import type { StreamRoute } from "./stream-route.ts"
import { noView, stillBuilding } from "./view-answers.ts"

export type ViewRoute = {
  Bindings: StreamRoute["Bindings"]
  Variables: {
    name: string
    action: string
    bounds: Bounds
    view: DurableObjectStub<ViewObject>
    folds: DurableObjectNamespace<FoldObject>
  }
}
export type ViewContext = Context<ViewRoute>

/** Asks the generation that answers. One that has just been replaced is no more: then the next one is asked. */
export async function onLive<A extends { readonly kind: string }>(
  c: ViewContext,
  work: (fold: DurableObjectStub<FoldObject>) => Promise<A>,
  respond: (answer: Exclude<A, { readonly kind: "no-fold" }>) => Response,
): Promise<Response> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const current: Current = await c.get("view").current()
    if (current.live === undefined) return current.building === undefined ? noView() : stillBuilding()
    const answer = await work(c.get("folds").getByName(foldName(c.get("name"), current.live)))
    if (answer.kind !== "no-fold") return respond(answer as Exclude<A, { readonly kind: "no-fold" }>) // it is not
  }
  return refuse(503, "The view is being replaced; try again.", { "Retry-After": "1" })
}

const TRIES_MAX = 3
