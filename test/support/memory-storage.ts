import type { Storage, WriteTransaction } from "../../client/thread/storage.ts"
import { Image, keyOf } from "../simulation/image.ts"

/** A disk without time or faults: for tests of what is made of what it holds. */
export function memoryStorage(): Storage {
  const image = new Image()
  const tx: WriteTransaction = {
    get: async (store, key) => structuredClone(image.store(store).get(key)),
    getAll: async (store, range, limit) => structuredClone(image.store(store).range(range, limit)),
    async add(record) {
      const key = image.lastKey + 1
      image.apply([{ store: "outbox", key, record: { ...structuredClone(record), key } }])
      return key
    },
    insert: () => {
      throw new Error("Nothing that reads inserts.")
    },
    put(store, record) {
      const key = keyOf(store, record as Record<string, unknown>) // records carry their keys
      image.apply([{ store, key, record: structuredClone(record) }])
    },
    delete: (store, key) => void image.apply([{ store, key, record: undefined }]),
  }
  return { read: async (body) => body(tx), write: async (_durability, body) => body(tx), close() {} }
}
