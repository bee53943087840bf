import { expose } from "comlink"
import type { EnginePort } from "../port.ts"
import { browserHost } from "./browser-host.ts"
import { Engine } from "./engine.ts"

expose(new Engine(browserHost) satisfies EnginePort)
