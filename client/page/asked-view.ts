import { parsePathOrPattern } from "../../shared/path-pattern.ts"
import { type ViewDefinition, viewData } from "../../shared/view/definition.ts"
import type { AskedView } from "../port.ts"

/** Which stream each source of a view reads: a path, or a pattern that stands for many. */
export type ViewStreams<V extends ViewDefinition> = { readonly [Source in keyof V["sources"]]: string }

/**
 * A view as the thread takes it.
 *
 * @throws HeadwaterError `invalid-view`; `invalid-path` when a source is given neither a path nor a pattern.
 */
export function askedView<V extends ViewDefinition>(view: V, streams: ViewStreams<V>): AskedView {
  const reads: Record<string, string> = {}
  for (const source of Object.keys(view.sources)) {
    reads[source] = parsePathOrPattern((streams as Record<string, unknown>)[source]) // its keys are the sources
  }
  return { name: Object.keys(view.sources).join("+"), view: viewData(view), streams: reads }
}
