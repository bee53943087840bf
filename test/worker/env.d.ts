declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("../../worker/index.ts")
    durableNamespaces: "StreamObject"
  }
  interface Env {
    readonly STREAMS: DurableObjectNamespace<import("../../worker/index.ts").StreamObject>
  }
}
