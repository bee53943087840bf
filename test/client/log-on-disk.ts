import { BesideLog } from "../../client/disk/beside-log.ts"
import { DeviceLog } from "../../client/disk/log.ts"
import { MemoryStorage } from "../../client/disk/memory-storage.ts"
import type { Storage } from "../../client/disk/storage.ts"
import type { ThreadLink } from "../../client/page/thread-link.ts"
import { LogReaders } from "../../client/thread/log-readers.ts"
import { EMPTY_CHAIN, extendChain } from "../../shared/chain.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { issueOffset, type Offset, START } from "../../shared/offset.ts"
import { localLocks } from "../support/local-locks.ts"
import { directLink } from "./direct-link.ts"

export const STREAM = "tests/log" as StreamPath

/** A log that grows page by page, a tab that reads it, and the page in that tab. */
export function logOnDisk() {
  const storage: Storage = new MemoryStorage()
  const reads = { pages: 0 }
  const read = storage.read.bind(storage)
  storage.read = (body, stores) => {
    if (stores?.includes("pages")) reads.pages++
    return read(body, stores)
  }
  const log = new DeviceLog(storage)
  const beside = new BesideLog(storage)
  const host = localLocks()
  const offsets: Offset[] = [START]
  let chain = EMPTY_CHAIN
  const tabs: LogReaders[] = []
  const memory: { head: Offset | undefined } = { head: undefined }

  return {
    log,
    reads,
    /** How far tabs have come whose disk is behind; undefined: as far as it. */
    memory,
    /** Before each message, and behind the last. */
    offsets,
    /** As a leader saves a page; whoever waits is told. */
    async grow(messages: readonly string[]): Promise<void> {
      const from = offsets.at(-1) ?? START
      for (const text of messages) {
        chain = extendChain(chain, text)
        offsets.push(issueOffset({ generation: 7, position: offsets.length, chain }))
      }
      const next = offsets.at(-1) ?? START
      await storage.write("relaxed", (tx) => {
        if (messages.length > 0) tx.put("pages", { stream: STREAM, from, next, text: messages.join(",") })
        tx.put("streams", { stream: STREAM, head: next })
      })
      for (const readers of tabs) readers.grown(STREAM)
    },
    openTab(): { readers: LogReaders; link: ThreadLink; crash(): void } {
      const readers = new LogReaders({
        host,
        whole: log,
        beside,
        name: "account",
        head: () => memory.head ?? offsets.at(-1) ?? START,
      })
      tabs.push(readers)
      let isAlive = true
      /** Nothing is heard of it any more, and its locks are free. */
      const crash = () => {
        isAlive = false
        readers.end()
      }
      return { readers, link: directLink({ readers, beside }, () => isAlive), crash }
    },
  }
}
