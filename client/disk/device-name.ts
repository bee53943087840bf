import type { ProducerId } from "../../shared/ids.ts"
import { Exists, type ReadTransaction, type Storage } from "./storage.ts"

const DEVICE = "device"

/**
 * A device's name as a producer: made once, kept as long as the database. Of tabs that make one at the same time the
 * first on the disk names the device. None asks and writes in one transaction, which would stay open if the tab were
 * frozen between the two, and every other tab would wait for it.
 */
export async function nameDevice(storage: Storage, newId: () => string): Promise<ProducerId> {
  const read = (tx: ReadTransaction) => tx.get("meta", DEVICE) as Promise<{ id: ProducerId } | undefined> // see below
  const found = await storage.read(read, ["meta"])
  if (found !== undefined) return found.id
  const id = newId() as ProducerId // made here, for ever
  try {
    await storage.write("strict", (tx) => tx.insert("meta", { name: DEVICE, id }), ["meta"])
    return id
  } catch (reason) {
    if (reason instanceof Exists) return nameDevice(storage, newId)
    throw reason
  }
}
