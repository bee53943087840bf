/**
 * Starts the thread of this page: a module worker of its own, with its own copy of nothing but what it needs.
 *
 * The form of the next line is what bundlers look for, to build the thread and to serve it; the package keeps the form
 * and says `./thread.js`. So an app needs no plug-in and no worker file.
 */
export async function startThread(): Promise<Worker> {
  return new Worker(new URL("../thread/thread.ts", import.meta.url), { type: "module" })
}
