import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const NOT_OURS = /^(\.|node_modules$|dist$)/

/** The project's own code below a folder, as paths from the project's root, in a stable order. */
export function sourceFiles(folder: string): string[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true })
  const files = entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    if (NOT_OURS.test(entry.name)) return []
    if (entry.isDirectory()) return sourceFiles(path)
    return /\.(ts|mjs)$/.test(entry.name) ? [path] : []
  })
  return files.sort()
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8")
}

/** One module's need of another. An `address` is what `new URL(..., import.meta.url)` names: how a thread starts. */
export type Import = { readonly kind: "type" | "value" | "address"; readonly specifier: string }

const IMPORT_FORMS = [
  ["type", /^\s*(?:import|export)\s+type\s[^"'`;]*?\bfrom\s+"([^"]+)"/gm],
  ["value", /^\s*(?:import|export)\s+(?!type\s)[^"'`;]*?\bfrom\s+"([^"]+)"/gm],
  ["value", /^\s*import\s+"([^"]+)"/gm],
  ["value", /\bimport\(\s*"([^"]+)"/g],
  ["address", /\bnew URL\(\s*"([^"]+)"\s*,\s*import\.meta\.url/g],
] as const

export function importsIn(source: string): Import[] {
  const code = withoutComments(source)
  return IMPORT_FORMS.flatMap(([kind, form]) =>
    [...code.matchAll(form)].flatMap(([, specifier]) => (specifier === undefined ? [] : { kind, specifier })),
  )
}

/** The project's file that a relative specifier means. */
export function targetOf(file: string, specifier: string): string {
  return join(dirname(file), specifier)
}

/** Line breaks stay, so that line numbers do. */
export function withoutComments(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
    .replace(/^\s*\/\/.*$/gm, "")
}

export type FunctionLength = { readonly name: string; readonly line: number; readonly lines: number }

const OPENS =
  /^(\s*)(?:.*\bfunction\b.*\{|(?!.*\b(?:if|for|while|switch|catch|class|return|else)\b).*\)(?:: [^{]*)? \{|.*=> \{)$/

/**
 * The functions of a module that is formatted by the house formatter: a function begins on a line that ends in a brace
 * (or where its parameters begin) and ends on the first later line that is a closing brace at the same depth.
 */
export function functionsIn(source: string): FunctionLength[] {
  const lines = withoutComments(source).split("\n")
  return lines.flatMap((line, index) => {
    const indent = OPENS.exec(line)?.[1]
    if (indent === undefined || /^\s*(describe|test|it)\b/.test(line)) return []
    const end = lines.findIndex((later, at) => at > index && later.startsWith(`${indent}}`))
    if (end === -1) return []
    return [{ name: line.trim(), line: index + 1, lines: end - index + 1 }]
  })
}
