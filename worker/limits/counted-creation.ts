import type { Bounds } from "../../shared/limits.ts"
import type { Env } from "../env.ts"
import type { CreateOutcome } from "../stream/create.ts"
import type { Absent } from "../stream/stream-life.ts"
import type { PrincipalObject } from "./principal-object.ts"

/** Who creates a stream, and the object that counts what they create. */
export type Creator = {
  readonly principal: string
  readonly object: Pick<DurableObjectStub<PrincipalObject>, "admit" | "forget">
}

/** Undefined where the edge does not know its callers, or does not count. */
export function creatorOf(
  { PRINCIPALS }: Pick<Env, "PRINCIPALS">,
  { streamsPerPrincipalMax }: Pick<Bounds, "streamsPerPrincipalMax">,
  principal: string | undefined,
): Creator | undefined {
  if (principal === undefined || streamsPerPrincipalMax === 0 || PRINCIPALS === undefined) return undefined
  return { principal, object: PRINCIPALS.getByName(principal) }
}

export type CreationParts = {
  readonly path: string
  readonly creator: Creator | undefined
  isThere(): Promise<boolean>
  /** Who has created the stream that is there. */
  creatorOfStream(): Promise<string | undefined>
  create(): Promise<CreateOutcome | Absent>
}

/** Creates a stream, unless its creator has as many as they may have. A stream that is there already is always told. */
export async function createCounted(
  parts: CreationParts,
): Promise<CreateOutcome | Absent | { kind: "too-many" }> {
  const { path, creator } = parts
  if (creator === undefined) return parts.create()
  const admission = await creator.object.admit(creator.principal, path)
  if (admission.kind === "too-many") return (await parts.isThere()) ? parts.create() : { kind: "too-many" }
  const outcome = await parts.create()
  if (admission.kind === "known" || (outcome.kind === "stream" && outcome.isNew)) return outcome
  const isOwn = (await parts.creatorOfStream()) === creator.principal // another request of theirs may have made it
  if (!isOwn) await creator.object.forget(path, admission.made)
  return outcome
}
