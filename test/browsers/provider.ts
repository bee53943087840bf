import { defineBrowserProvider } from "@vitest/browser"
import type { BrowserProvider, BrowserProviderOption } from "vitest/node"
import type { Engine } from "./engine.ts"

declare module "vitest/browser" {
  interface BrowserCommands {
    /** Asked for before each file, so a provider has to know it. */
    __vitest_viewport(): Promise<void>
  }
}

/** Runs vitest's browser mode in an engine. The tests drive nothing: all that is asked of the browser is one page. */
export function inEngine(engine: Engine): BrowserProviderOption {
  return defineBrowserProvider({
    name: engine.name,
    supportedBrowser: [engine.name],
    providerFactory(project) {
      project.browser?.registerCommand("__vitest_viewport", async () => {}) // no test looks at the page
      return new EngineProvider(engine)
    },
  })
}

class EngineProvider implements BrowserProvider {
  readonly name: string
  readonly supportsParallelism = false
  readonly #engine: Engine
  readonly #shown: { close(): Promise<void> }[] = []

  constructor(engine: Engine) {
    this.name = engine.name
    this.#engine = engine
  }

  getCommandsContext(): Record<string, unknown> {
    return {}
  }

  async openPage(_session: string, url: string): Promise<void> {
    this.#shown.push(await this.#engine.show(url))
  }

  async close(): Promise<void> {
    await Promise.all(this.#shown.splice(0).map((browser) => browser.close()))
  }
}
