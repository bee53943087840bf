/** Where streams are. */
export const PREFIX = "/v1/stream/"

/** The path of the stream at an address, in the spelling of the URL, as the URL standard writes it. */
export function pathIn(pathname: string): string | undefined {
  return pathname.startsWith(PREFIX) ? pathname.slice(PREFIX.length) : undefined
}

/** What is said of an address that a route does not have. */
export function notBelow(prefix: string, pathname: string): string {
  return `Streams are below ${prefix}; ${pathname} was asked for.`
}

/** Why a path names no stream; undefined when it does. */
export function pathFault(path: string, lengthMax: number): string | undefined {
  if (path === "") return "it has no name"
  if (path.length > lengthMax) return `its name has ${path.length} characters, ${lengthMax} are allowed`
  return path.split("/").some(isReserved) ? `"__ds" is reserved by the protocol` : undefined
}

/** In whatever spelling: whoever stands between may write escapes out. */
function isReserved(segment: string): boolean {
  try {
    return decodeURIComponent(segment) === "__ds"
  } catch {
    return false // escapes that are no text spell nothing that is reserved
  }
}
