import { connect } from "headwater"
import { Board } from "./board.ts"
import { byId } from "./dom.ts"
import { catalogue, orders } from "./events.ts"
import { Market } from "./market.ts"
import { sqlConsole } from "./panels/console.ts"
import { ledger } from "./panels/ledger.ts"
import { logPanel } from "./panels/log.ts"
import { networkSwitch } from "./panels/network.ts"
import { notify } from "./panels/notices.ts"
import { ordersPanel } from "./panels/orders.ts"
import { productForm } from "./panels/product-form.ts"
import { riverPanel } from "./panels/river.ts"
import { rushPanel } from "./panels/rush.ts"
import { type Act, stallPanel } from "./panels/stall.ts"
import { tillField } from "./panels/till.ts"
import { keepShell } from "./shell.ts"
import { shop } from "./shop.ts"
import { Stopwatch } from "./stopwatch.ts"

const account = new URLSearchParams(location.search).get("account") ?? "first"

const act: Act = (action) => void action().catch(notify)

const till = tillField(account)
linkToOtherTills()
void keepShell()
open().catch(notify)

/** The device's data first, the network when there is one. */
async function open(): Promise<void> {
  const client = await connect({ edge: location.origin, account })
  networkSwitch(client, account, notify)
  const streams = {
    catalogue: client.stream(catalogue, "market/catalogue"),
    orders: client.stream(orders, "market/orders"),
  }
  const view = await client.view(shop, { catalogue: streams.catalogue.path, orders: streams.orders.path })
  const board = new Board(client, streams, notify)
  const market = new Market(streams, view, new Stopwatch(view, board, ledger()), till)
  board.follow(view, [
    riverPanel(streams),
    stallPanel(market, act),
    ordersPanel(market, act),
    logPanel(),
    rushPanel(market, act),
  ])
  productForm(market)
  sqlConsole(view, streams)
}

function linkToOtherTills(): void {
  const other = new URL(location.href)
  other.searchParams.set("account", `till-${crypto.randomUUID().slice(0, 4)}`)
  byId("second-tab", HTMLAnchorElement).href = location.href
  byId("second-till", HTMLAnchorElement).href = other.href
}
