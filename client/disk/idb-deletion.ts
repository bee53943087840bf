import { deleteDB } from "idb"
import type { Clock } from "../clock.ts"
import { withinBound } from "./within-bound.ts"

/**
 * Deletes a database. Connections of this version of the app let go of it at once; it is gone when this resolves.
 *
 * @throws HeadwaterError `storage-unavailable` when somebody holds it: then it goes when they do.
 */
export async function deleteIdb(name: string, clock: Clock): Promise<void> {
  await withinBound(deleteDB(name), clock, "IndexedDB did not delete the database")
}
