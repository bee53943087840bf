/** Starts the thread of this page. */
export async function startThread(): Promise<Worker> {
  return new Worker(new URL("../thread/thread.ts", import.meta.url), { type: "module" })
}
