import { runInDurableObject } from "cloudflare:test"
import { objectOf } from "./edge-client.ts"

/**
 * Rows that the stream's object writes while `work` runs, as the storage counts and the platform bills them: those of
 * its statements, and one for each alarm that it sets.
 */
export async function rowsWritten(path: string, work: () => Promise<unknown>): Promise<number> {
  let written = 0
  const restore = await runInDurableObject(objectOf(path), (_, { storage }) => {
    const { sql } = storage
    const [exec, setAlarm] = [sql.exec, storage.setAlarm]
    sql.exec = ((...args: Parameters<typeof exec>) => {
      const cursor = exec.apply(sql, args)
      const rows = [...cursor]
      const { rowsRead, rowsWritten } = cursor
      written += rowsWritten
      return Object.assign(rows, { rowsRead, rowsWritten })
    }) as unknown as typeof exec // the object iterates what it gets, and counts its rows
    storage.setAlarm = (...args: Parameters<typeof setAlarm>) => {
      written += 1
      return setAlarm.apply(storage, args)
    }
    return () => {
      sql.exec = exec
      storage.setAlarm = setAlarm
    }
  })
  await work()
  await runInDurableObject(objectOf(path), () => restore())
  return written
}
