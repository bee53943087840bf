import { expect, test } from "vitest"
import { type Import, importsIn, read, sourceFiles, targetOf } from "./support/sources.ts"

/** A place is a folder by where code runs. What it may reach, and what it may not, is the shape of the project. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  shared: ["shared"],
  client: ["client", "shared"],
  worker: ["worker", "shared"],
  demo: ["demo"],
}

/** Each third-party name has one home: a file, or a folder that is about it. */
const HOMES: Record<string, readonly string[]> = {
  comlink: ["client/page/thread-link.ts", "client/thread/thread.ts"], // the two ends of one boundary
  idb: [
    "client/disk/idb-storage.ts",
    "client/disk/idb-connection.ts",
    "client/disk/idb-commit.ts",
    "client/disk/idb-schema.ts",
    "client/disk/idb-deletion.ts",
    "client/disk/idb-snapshots.ts",
  ],
  hono: ["worker/http/"],
  jose: ["worker/access/"],
  "@sqlite.org/sqlite-wasm": ["client/state/sqlite.ts"],
  "@standard-schema/spec": ["shared/events.ts"],
  "cloudflare:workers": [
    "worker/stream/stream-object.ts",
    "worker/limits/principal-object.ts",
    "worker/view/view-object.ts",
    "worker/view/fold-object.ts",
    "worker/directory/directory-object.ts",
  ],
  "node:sqlite": ["client/node/"],
  headwater: ["demo/"],
  zod: ["demo/events.ts"],
}

const PUBLIC_ENTRIES = ["client/index.ts", "client/node/index.ts", "shared/index.ts", "worker/index.ts"]
const NODE = "client/node/"
const places = Object.keys(MAY_IMPORT)
const product = places.flatMap(sourceFiles).filter((file) => file !== "demo/vite.config.ts")

test.each(places)("[ARCH1] %s imports only what it may", (place) => {
  const offences = product
    .filter((file) => placeOf(file) === place)
    .flatMap((file) => relativeImports(file).map((target) => ({ file, target })))
    .filter(({ target }) => !MAY_IMPORT[place]?.includes(placeOf(target)))
  expect(offences).toEqual([])
})

test("[ARCH2] a third-party name is imported at home and nowhere else", () => {
  const offences = product.flatMap((file) =>
    packagesOf(file)
      .filter(
        (name) =>
          !HOMES[name]?.some((home) => file === home || (home.endsWith("/") && file.startsWith(home))),
      )
      .map((name) => ({ file, name })),
  )
  expect(offences).toEqual([])
})

test("[ARCH2] what needs Node is in one folder, which nothing else of the product imports", () => {
  const offences = product
    .filter((file) => !file.startsWith(NODE))
    .filter((file) => relativeImports(file).some((target) => target.startsWith(NODE)))
  expect(offences).toEqual([])
})

test("[ARCH3] no module needs itself to run", () => {
  expect(
    firstCycle(new Map(product.map((file) => [file, relativeImports(file, ["value", "address"])]))),
  ).toEqual([])
})

test("[ARCH4] only public entries hand on what others define", () => {
  const handsOn = /^export (?:type )?(?:\*|\{[^}]*\}) from /m
  const barrels = product.filter((file) => !PUBLIC_ENTRIES.includes(file) && handsOn.test(read(file)))
  expect(barrels).toEqual([])
})

test("[ARCH5] every relative import names its file in full", () => {
  const files = [...product, ...sourceFiles("test"), ...sourceFiles("scripts")]
  const offences = files.flatMap((file) =>
    importsIn(read(file))
      .filter(({ kind, specifier }) => kind !== "address" && specifier.startsWith("."))
      .filter(({ specifier }) => !/\.(ts|mjs|json|css)(\?\w+)?$/.test(specifier))
      .map(({ specifier }) => ({ file, specifier })),
  )
  expect(offences).toEqual([])
})

test("[ARCH0] the rules can be broken: a cycle is found, and so is an import of each form", () => {
  const ring = new Map([
    ["a", ["b"]],
    ["b", ["c"]],
    ["c", ["b"]],
  ])
  expect(firstCycle(ring)).toEqual(["b", "c", "b"])
  const forms = [
    `import { a } from "one"`,
    `import type {\n  B,\n} from "two"`,
    `export { c } from "three"`,
    `import "four"`,
    `const five = await import("five")`,
    `new Worker(new URL("six", import.meta.url))`,
    `// import { no } from "comment"`,
  ]
  const found = importsIn(forms.join("\n")).map(({ kind, specifier }) => `${specifier}: ${kind}`)
  const wanted = ["five: value", "four: value", "one: value", "six: address", "three: value", "two: type"]
  expect(found.sort()).toEqual(wanted)
})

function placeOf(file: string): string {
  return file.split("/")[0] ?? ""
}

function relativeImports(
  file: string,
  kinds: readonly Import["kind"][] = ["type", "value", "address"],
): string[] {
  return importsIn(read(file))
    .filter(({ kind, specifier }) => kinds.includes(kind) && specifier.startsWith("."))
    .map(({ specifier }) => targetOf(file, specifier))
}

/** `@scope/name/file` and `name/file` are both the package's. */
function packagesOf(file: string): string[] {
  return importsIn(read(file))
    .filter(({ specifier }) => !specifier.startsWith("."))
    .map(({ specifier }) => /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)?.[0] ?? specifier)
}

/** A path from a module back to itself, or nothing. The address of the thread counts: it is a way of needing it. */
function firstCycle(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return []
    for (const target of imports.get(file) ?? []) {
      const cycle = visit(target, [...path, file])
      if (cycle.length > 0) return cycle
    }
    done.add(file)
    return []
  }
  for (const file of imports.keys()) {
    const cycle = visit(file, [])
    if (cycle.length > 0) return cycle
  }
  return []
}
