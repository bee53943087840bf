/** Why a path names no stream; undefined when it does. It is spelt as the URL standard writes it. */
export function pathFault(path: string, lengthMax: number): string | undefined {
  if (path === "") return "it has no name"
  if (path.length > lengthMax) return `its name has ${path.length} characters, ${lengthMax} are allowed`
  return path.split("/").includes("__ds") ? `"__ds" is reserved by the protocol` : undefined
}
