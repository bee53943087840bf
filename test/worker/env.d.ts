declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("../../worker/index.ts")
    durableNamespaces: "StreamObject" | "PrincipalObject" | "ViewObject" | "FoldObject" | "DirectoryObject"
  }
  interface Env {
    readonly STREAMS: DurableObjectNamespace<import("../../worker/index.ts").StreamObject>
    readonly SEGMENTS: R2Bucket
    readonly VIEWS: DurableObjectNamespace<import("../../worker/index.ts").ViewObject>
    readonly FOLDS: DurableObjectNamespace<import("../../worker/index.ts").FoldObject>
    readonly DIRECTORY: DurableObjectNamespace<import("../../worker/index.ts").DirectoryObject>
    readonly PRINCIPALS: DurableObjectNamespace<import("../../worker/index.ts").PrincipalObject>
  }
}
