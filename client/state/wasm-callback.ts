/*
 * SQLite calls back through its table of functions, which holds functions of WebAssembly only. One that JavaScript
 * wrote becomes one of them by passing through a module that imports it and exports it again. Such a module has three
 * sections, each of them an id, the length of what follows, and a list that begins with its count:
 *
 *   "\0asm", version 1
 *   1  types    one: a function (0x60) of some i32 (0x7f) that answers one i32
 *   2  imports  one: "e" "f", a function (0), of type 0
 *   7  exports  one: "f", a function (0), number 0, which is the imported one
 *
 * That is all: no code is made, so whatever allows SQLite's own module allows this one.
 */

const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const FUNCTION_TYPE = 0x60
const I32 = 0x7f
const [E, F] = [0x65, 0x66]

/** Puts a function into a table, for as long as the table lives, and answers where: its pointer. */
export function addCallback(
  table: WebAssembly.Table,
  parameterCount: number,
  call: (...parameters: number[]) => number,
): number {
  const parameters = Array<number>(parameterCount).fill(I32)
  const bytes = [
    ...HEADER,
    ...section(1, [1, FUNCTION_TYPE, parameterCount, ...parameters, 1, I32]),
    ...section(2, [1, 1, E, 1, F, 0, 0]),
    ...section(7, [1, 1, F, 0, 0]),
  ]
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), {
    e: { f: call },
  })
  const pointer = table.grow(1)
  table.set(pointer, exports.f)
  return pointer
}

function section(id: number, content: readonly number[]): number[] {
  return [id, content.length, ...content]
}
