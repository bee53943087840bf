declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("../../worker/index.ts")
    durableNamespaces: "StreamObject" | "PrincipalObject"
  }
  interface Env {
    readonly STREAMS: DurableObjectNamespace<import("../../worker/index.ts").StreamObject>
    readonly SEGMENTS: R2Bucket
    readonly PRINCIPALS: DurableObjectNamespace<import("../../worker/index.ts").PrincipalObject>
  }
}
