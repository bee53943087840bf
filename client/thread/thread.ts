import { expose } from "comlink"
import type { EnginePort } from "../port.ts"
import { browserHost } from "./browser-host.ts"
import { Engine } from "./engine.ts"
import { warmUp } from "./warm-up.ts"

void warmUp()
expose(new Engine(browserHost) satisfies EnginePort)
