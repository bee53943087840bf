import { expect, test } from "vitest"
import { live, newView, ORDERS, order, place, putView, rowsOf, statusOf, streamOf } from "./view-client.ts"

test("[EVIEW1] a view is folded from its stream, and answers what it holds", async () => {
  const [name, stream] = [newView(), await streamOf(order("tea", 2), order("tea"), order("milk"))]
  const made = await putView(name, ORDERS, { orders: stream })
  expect([made.status, await made.json()]).toEqual([201, { generation: 1, outcome: "made" }])
  await live(name)
  expect(await rowsOf(name, "SELECT sku, sold FROM stock ORDER BY sku")).toEqual([
    ["milk", 1],
    ["tea", 3],
  ])
  const offset = await place(stream, order("milk", 5))
  expect(
    await rowsOf(name, "SELECT sold FROM stock WHERE sku = ?", {
      params: ["milk"],
      min_offset: { [stream]: offset },
    }),
  ).toEqual([[6]])
  console.log(await statusOf(name))
})
