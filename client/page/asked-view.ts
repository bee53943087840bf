import { parseStreamPath } from "../../shared/ids.ts"
import { parsePathOrPattern } from "../../shared/path-pattern.ts"
import { type ViewDefinition, viewData } from "../../shared/view/definition.ts"
import type { AskedView } from "../port.ts"

/** Which stream each source of a view reads: a path, or a pattern that stands for many. */
export type ViewStreams<V extends ViewDefinition> = { readonly [Source in keyof V["sources"]]: string }

export type ViewOptions = {
  /**
   * The name of a view at the edge that has the same definition and streams. A device that lacks much of the log begins
   * with its rows (checked against their hash) instead of the events that they are the fold of, and goes on from there.
   * What is before is not on this device then: it is read from the edge when something needs it, such as a view of
   * another definition, a reader that begins earlier, an import. Open such a view before the streams: one that is open
   * is read at once. Where a view cannot begin so, it takes the log, and says why in `client.status.views`.
   */
  readonly edgeView?: string | undefined
}

/**
 * A view as the thread takes it.
 *
 * @throws HeadwaterError `invalid-view`; `invalid-path` when a source is given neither a path nor a pattern, or the
 * view at the edge no name.
 */
export function askedView<V extends ViewDefinition>(
  view: V,
  streams: ViewStreams<V>,
  { edgeView }: ViewOptions = {},
): AskedView {
  const name = edgeView === undefined ? undefined : parseStreamPath(edgeView)
  const reads: Record<string, string> = {}
  for (const source of Object.keys(view.sources)) {
    reads[source] = parsePathOrPattern((streams as Record<string, unknown>)[source]) // its keys are the sources
  }
  return { name: Object.keys(view.sources).join("+"), view: viewData(view), streams: reads, edgeView: name }
}
