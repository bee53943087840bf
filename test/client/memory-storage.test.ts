import { MemoryStorage } from "../../client/disk/memory-storage.ts"
import { describeStorage } from "../contract/storage.ts"

describeStorage("memory", async () => new MemoryStorage())
