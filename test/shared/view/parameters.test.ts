import { describe, expect, expectTypeOf, test } from "vitest"
import { z } from "zod"
import { defineStream, type EventSchemas } from "../../../shared/events.ts"
import { defineView } from "../../../shared/view/definition.ts"
import type { SqlParameters } from "../../../shared/view/sql-parameters.ts"

const orders = defineStream({
  "order.placed": z.object({ order: z.string(), lines: z.array(z.object({ sku: z.string() })).optional() }),
  "order.paid": z.discriminatedUnion("by", [
    z.object({ by: z.literal("card"), card: z.string() }),
    z.object({ by: z.literal("cash"), till: z.string() }),
  ]),
  "order.noted": z.looseObject({ order: z.string() }),
  "order.tagged": z.object({ order: z.string() }).catchall(z.string()),
  "order.counted": z.record(z.string(), z.number()),
  "order.rang": z.string(),
  "order.cooled": z.object({ degrees: z.string() }).transform(({ degrees }) => ({ kelvin: Number(degrees) })),
  "order.any": z.any(),
})

const handled = (on: Parameters<typeof defineView>[0][string]["on"]) => () =>
  defineView({ orders: { from: orders as { events: EventSchemas }, table: "CREATE TABLE t (a)", on } })

describe("[VIEW21] a parameter is a field that the schema knows, or an attribute of the event", () => {
  test("the text of a literal tells its parameters", () => {
    expectTypeOf<SqlParameters<"SELECT 1">>().toBeNever()
    expectTypeOf<SqlParameters<"INSERT INTO t VALUES (:a, :b_2,\n  :c)">>().toEqualTypeOf<"a" | "b_2" | "c">()
    expectTypeOf<SqlParameters<"SELECT :é">>().toEqualTypeOf<"é">()
    expectTypeOf<SqlParameters<"x = ':no' AND y = 'it''s :no' AND z = :yes">>().toEqualTypeOf<"yes">()
    expectTypeOf<SqlParameters<'SELECT ":no", `:no`, [:no], :yes -- it\'s :no\n, :too /* ":no */ || \':no'>>() //
      .toEqualTypeOf<"yes" | "too">()
    expectTypeOf<SqlParameters<"SELECT '/* ' || :a || ' */', \"it's\" || :b">>().toEqualTypeOf<"a" | "b">()
    expectTypeOf<SqlParameters<string>>().toBeNever()
    expectTypeOf<SqlParameters<`SELECT :no FROM ${string}`>>().toBeNever()
  })

  test("what no field fills does not compile, and is refused from callers without types", () => {
    const misspelt = () =>
      defineView({
        orders: {
          from: orders,
          table: "CREATE TABLE t (a)",
          on: {
            "order.placed": [
              "INSERT INTO t VALUES (:order || :event_id)",
              // @ts-expect-error :ordr is neither a field of the event's data nor one of its attributes
              "INSERT INTO t VALUES (:ordr)",
            ],
            // @ts-expect-error :amount is no field of either member
            "order.paid": "INSERT INTO t VALUES (:card || :till || :amount)",
            // @ts-expect-error a text has no fields
            "order.rang": "INSERT INTO t VALUES (:order)",
            // @ts-expect-error what is stored is what the schema makes of it
            "order.cooled": "INSERT INTO t VALUES (:degrees)",
            // @ts-expect-error an event has no such attribute
            "order.any": "INSERT INTO t VALUES (:event_offset, :whatever)",
          },
        },
      })
    expect(misspelt).toThrow(
      `View, source "orders", event "order.placed", statement 2: expected a field of the data (order, lines); ` +
        "got :ordr.",
    )
  })

  test("what a field fills compiles: of any member of a union, of a schema's output, of any name if any may be", () => {
    const lenient = "INSERT INTO t VALUES (:nothing)" as string
    const view = defineView({
      orders: {
        from: orders,
        table: "CREATE TABLE t (a)",
        on: {
          "order.placed": [
            "INSERT INTO t VALUES (:order || :lines || :event_stream)",
            "DELETE FROM t WHERE a = ':x'",
          ],
          "order.paid": "INSERT INTO t VALUES (:by || :card || :till)",
          "order.noted": "INSERT INTO t VALUES (:order || :anything)",
          "order.tagged": "INSERT INTO t VALUES (:anything)",
          "order.counted": "INSERT INTO t VALUES (:anything)",
          "order.cooled": "INSERT INTO t VALUES (:kelvin)",
          "order.any": ["INSERT INTO t VALUES (:anything)", lenient, `${lenient} -- :x`],
        },
      },
    })
    expectTypeOf(view.sources.orders.from.events).toEqualTypeOf(orders.events)
  })

  test.each([
    [
      { "order.placed": "DELETE FROM t WHERE a = :x" },
      "expected a field of the data (order, lines); got :x.",
    ],
    [
      { "order.paid": ["DELETE FROM t", "DELETE FROM t WHERE a = :x"] },
      "statement 2: expected a field of the data (by",
    ],
    [{ "order.rang": "DELETE FROM t WHERE a = :x" }, "expected data without fields; got :x."],
  ])("%j is refused", (on, message) => {
    expect(handled(on)).toThrow(message)
  })

  test.each([
    [{ "order.noted": "DELETE FROM t WHERE a = :x" }],
    [{ "order.tagged": "DELETE FROM t WHERE a = :x" }],
    [{ "order.counted": "DELETE FROM t WHERE a = :x" }],
    [{ "order.cooled": "DELETE FROM t WHERE a = :x" }],
    [{ "order.any": "DELETE FROM t WHERE a = :x" }],
  ])("%j passes: its schema does not say which fields there are", (on) => {
    expect(handled(on)).not.toThrow()
  })

  const said = (json: object | undefined) =>
    defineStream({
      said: {
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value: unknown) => ({ value }),
          ...(json === undefined ? {} : { jsonSchema: { output: () => json } }),
        },
      },
    })

  test.each([
    ["without the extension", undefined, "accepted"],
    ["that says nothing", {}, "accepted"],
    [
      "by reference",
      { $ref: "#/$defs/a", $defs: { a: { type: "object", properties: { b: {} } } } },
      "(b); got :x",
    ],
    ["by a reference to elsewhere", { $ref: "https://example.org/a" }, "accepted"],
    ["of itself", { anyOf: [{ $ref: "#" }, { type: "object", properties: { b: {} } }] }, "(b); got :x"],
    ["of all", { allOf: [{ properties: { b: {} } }, { properties: { c: {} } }] }, "(b, c); got :x"],
    ["with patterns", { type: "object", patternProperties: { "^x": {} } }, "accepted"],
    [
      "with more of any kind",
      { type: "object", properties: { b: {} }, additionalProperties: true },
      "accepted",
    ],
    ["with no more", { type: "object", properties: { b: {} }, additionalProperties: false }, "(b); got :x"],
    ["that is never", { not: {} }, "data without fields; got :x"],
  ])("a schema %s", (_, json, outcome) => {
    const define = () =>
      defineView({
        s: { from: said(json), table: "CREATE TABLE t (a)", on: { said: "DELETE FROM t WHERE a = :x" } },
      })
    if (outcome === "accepted") expect(define).not.toThrow()
    else expect(define).toThrow(outcome)
  })
})
