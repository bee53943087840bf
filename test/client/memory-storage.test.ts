import { MemoryStorage } from "../../client/thread/memory-storage.ts"
import { describeStorage } from "../contract/storage.ts"

describeStorage("memory", async () => new MemoryStorage())
