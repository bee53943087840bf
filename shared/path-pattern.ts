import { parseStreamPath } from "./ids.ts"

/*
 * Patterns of stream paths, as grants and views have them: `*` stands for any run of characters within a segment, `**`
 * as a segment for any number of segments, none included.
 */

/** Any number of segments, none included. */
const ANY_SEGMENTS = "**"

/** Any run of characters within a segment, none included. */
const ANY_CHARACTERS = "*"

/** Whether a text stands for more than the one path that it spells. */
export function isPattern(text: string): boolean {
  return text.includes(ANY_CHARACTERS)
}

/**
 * The only door through which the client accepts what a source of a view reads: a stream's path, or a pattern.
 *
 * @throws HeadwaterError `invalid-path`.
 */
export function parsePathOrPattern(text: unknown): string {
  if (typeof text !== "string" || !isPattern(text)) return parseStreamPath(text)
  parseStreamPath(text.replaceAll(ANY_CHARACTERS, "x")) // where a star may stand, a letter may
  return text
}

/** Whether a pattern covers a path. A path without `*` covers itself alone. */
export function coversPath(pattern: string, path: string): boolean {
  return coversSegments(pattern.split("/"), path.split("/"))
}

/** The same, of what was taken apart before. */
export function coversSegments(pattern: readonly string[], path: readonly string[]): boolean {
  return covers(pattern, path, ANY_SEGMENTS, coversSegment)
}

/**
 * Whether a pattern covers every path that another one covers. When it says so, it is so; of a few pairs it says no
 * although it is so, such as of `*` and `**` side by side in another order.
 *
 * The other's stars are taken for characters that nothing but a star can stand for: what covers the star then covers
 * whatever the star may be. Its `**` is taken for a segment that nothing but `**` can stand for.
 */
export function coversPattern(pattern: readonly string[], other: readonly string[]): boolean {
  return covers(pattern, other, ANY_SEGMENTS, (part, segment) => {
    return segment !== ANY_SEGMENTS && coversSegment(part, segment)
  })
}

function coversSegment(pattern: string, segment: string): boolean {
  return covers([...pattern], [...segment], ANY_CHARACTERS, (one, other) => one === other)
}

/**
 * Whether a pattern covers a list whole, `any` standing for any run of items. It goes back to the last `any` only:
 * whatever an earlier one could take, the later one can. So the time is at most the product of the lengths, where
 * a regular expression made of the pattern could take for ever.
 */
function covers(
  pattern: readonly string[],
  items: readonly string[],
  any: string,
  isSame: (pattern: string, item: string) => boolean,
): boolean {
  let [at, next] = [0, 0]
  let retry: { readonly after: number; from: number } | undefined
  while (next < items.length) {
    const [part, item] = [pattern[at], items[next]]
    if (part === any) {
      retry = { after: ++at, from: next }
    } else if (part !== undefined && item !== undefined && isSame(part, item)) {
      at++
      next++
    } else if (retry !== undefined) {
      at = retry.after
      next = ++retry.from
    } else {
      return false
    }
  }
  return pattern.slice(at).every((part) => part === any)
}
