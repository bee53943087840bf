export type { ErrorCode } from "../shared/errors.ts"
export { HeadwaterError } from "../shared/errors.ts"
export type {
  EventData,
  EventInput,
  EventSchemas,
  HeadwaterEvent,
  StreamDefinition,
} from "../shared/events.ts"
export { defineStream } from "../shared/events.ts"
export type { EventId, StreamPath } from "../shared/ids.ts"
export type { Offset } from "../shared/offset.ts"
export type { ViewData, ViewDefinition } from "../shared/view/definition.ts"
export { defineView, viewData } from "../shared/view/definition.ts"
export type { Halt } from "../shared/view/fold.ts"
export type { QueryOptions, QueryParameters } from "../shared/view/query.ts"
export type { ViewStreams } from "./page/asked-view.ts"
export type { Client, ConnectOptions, TokenGiver } from "./page/client.ts"
export { connect } from "./page/connect.ts"
export type { LogEvent, ReadOptions } from "./page/reading.ts"
export type { AppendOptions, EventOf, Reappend, Receipt, RejectedEventOf, Stream } from "./page/stream.ts"
export type { ExportOptions, ImportResult, ImportSource } from "./page/transfer.ts"
export type { HaltedAt, PastView, View } from "./page/view.ts"
export type { PlacedRow, Row, RowChanges } from "./row-changes.ts"
export { applyChanges } from "./row-changes.ts"
export type { ClientStatus, ConnectionStatus, StorageStatus, StreamStatus, ViewStatus } from "./status.ts"
export type { Reappended } from "./sync/recovery.ts"
export type { Verdict, ViewHash } from "./thread/view-hashes.ts"
