import { isSnapshots } from "../disk/idb-snapshots.ts"
import { loadSqlite } from "../state/sqlite.ts"

/**
 * Loads SQLite while the log is being opened, where rows were kept: a view will ask for it at once. A first visit, and
 * an app without views, load nothing before they need it. Whatever fails here is met, and told, by who needs it.
 */
export async function warmUp(): Promise<void> {
  try {
    const databases = (await indexedDB.databases?.()) ?? [] // not every engine tells
    if (databases.some(({ name = "" }) => isSnapshots(name))) await loadSqlite()
  } catch {
    // as above
  }
}
