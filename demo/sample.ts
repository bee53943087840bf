import type { ProductRow } from "./queries.ts"

/** What the stall opens with. Of one thing there is exactly one: two tills can quarrel over it. */
export const SAMPLE = [
  { sku: "apple-cake", name: "Apple cake", price: 2400, stock: 14 },
  { sku: "butter", name: "Butter, salted", price: 340, stock: 80 },
  { sku: "eggs", name: "Eggs, ten", price: 420, stock: 60 },
  { sku: "goat-cheese", name: "Goat cheese", price: 690, stock: 35 },
  { sku: "honey", name: "Lime honey", price: 850, stock: 24 },
  { sku: "pears", name: "Pears, a kilo", price: 390, stock: 120 },
  { sku: "rye-loaf", name: "Rye loaf", price: 480, stock: 90 },
  { sku: "wedding-cake", name: "Wedding cake", price: 18_500, stock: 1 },
] as const

const NAMES = [
  "Heron",
  "Otter",
  "Dipper",
  "Marten",
  "Wren",
  "Salamander",
  "Kingfisher",
  "Trout",
  "Swift",
  "Newt",
]

export const someName = () => NAMES[Math.floor(Math.random() * NAMES.length)] ?? "Heron"

export type Purchase = { readonly product: ProductRow; readonly quantity: number }

/** Nobody buys a wedding cake in passing, in cents. */
const IN_PASSING_MAX = 10_000

/** What a crowd of customers buys: mostly what is cheap, one to three pieces. */
export function crowd(all: readonly ProductRow[], customers: number): Purchase[] {
  const products = all.filter(({ price }) => price <= IN_PASSING_MAX)
  const shares = products.map(({ price }) => 1 / Math.sqrt(price))
  const total = shares.reduce((sum, share) => sum + share, 0)
  return Array.from({ length: customers }, () => {
    const product = pick(products, shares, Math.random() * total)
    return product === undefined ? [] : { product, quantity: 1 + Math.floor(Math.random() * 3) }
  }).flat()
}

function pick(
  products: readonly ProductRow[],
  shares: readonly number[],
  point: number,
): ProductRow | undefined {
  let passed = 0
  for (const [at, product] of products.entries()) {
    passed += shares[at] ?? 0
    if (point < passed) return product
  }
  return products.at(-1)
}

/** What has to be delivered before a crowd comes: whole crates, and some for those who come after it. */
export function deliveries(purchases: readonly Purchase[]): Purchase[] {
  const wanted = new Map<ProductRow, number>()
  for (const { product, quantity } of purchases) wanted.set(product, (wanted.get(product) ?? 0) + quantity)
  return [...wanted].flatMap(([product, pieces]) => {
    const missing = pieces - Math.max(0, product.left)
    return missing > 0 ? { product, quantity: (Math.ceil(missing / CRATE) + CRATES_AFTER) * CRATE } : []
  })
}

export const CRATE = 10
const CRATES_AFTER = 3

/** A name for a product that its owner has not thought of. */
export function skuOf(name: string): string {
  const words =
    name
      .normalize("NFKD")
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? []
  return words.join("-").slice(0, 33) || "product"
}
