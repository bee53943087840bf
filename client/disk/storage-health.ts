import { HeadwaterError } from "../../shared/errors.ts"

/** How a device's database is. */
export type StorageState =
  /** As far as anybody knows it takes what it is given. */
  | { readonly kind: "open" }
  /** The connection to it ended. Nothing is lost; the next operation opens it anew. */
  | { readonly kind: "lost"; readonly reason: string }
  /** It is gone, or another was found in its place: by the browser's doing, or its user's. See `renew`. */
  | { readonly kind: "deleted" }
  /** Another tab has cleared this account's data on purpose: nothing is taken any more. */
  | { readonly kind: "cleared" }
  /** A newer version of the app has it: nothing is taken any more, and the page is to be loaded again. */
  | { readonly kind: "outdated" }
  | { readonly kind: "closed" }

/** Tells how a storage is, and what became of what it held. */
export interface StorageHealth {
  /** `memory`: what it holds ends with this thread. */
  readonly level: "disk" | "memory"
  readonly state: StorageState
  /** Calls with each change, in the turn of the change. Returns the way to stop. */
  onChange(listener: (state: StorageState) => void): () => void
  /**
   * While a database is `deleted`, every operation is refused: what its callers know is about another one. Whoever has
   * let go of that knowledge calls this, and the next operation is on a new database.
   */
  renew(): void
}

/** The health of one storage, told by whoever keeps it. */
export class Health implements StorageHealth {
  readonly level: StorageHealth["level"]
  readonly #listeners = new Set<(state: StorageState) => void>()
  #state: StorageState = { kind: "open" }

  constructor(level: StorageHealth["level"]) {
    this.level = level
  }

  get state(): StorageState {
    return this.#state
  }

  onChange(listener: (state: StorageState) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  renew(): void {
    if (this.#state.kind === "deleted") this.tell({ kind: "lost", reason: "The database was deleted." })
  }

  /** What cannot change any more does not. */
  tell(state: StorageState): void {
    if (isOver(this.#state)) return
    this.#state = state
    for (const listener of [...this.#listeners]) listener(state)
    if (isOver(state)) this.#listeners.clear()
  }

  /** @throws HeadwaterError when operations are refused as things are. */
  check(): void {
    const refusal = refusalOf(this.#state)
    if (refusal !== undefined) throw refusal
  }
}

function isOver({ kind }: StorageState): boolean {
  return kind === "closed" || kind === "outdated" || kind === "cleared"
}

function refusalOf({ kind }: StorageState): HeadwaterError | undefined {
  switch (kind) {
    case "open":
    case "lost":
      return undefined
    case "deleted":
      return new Replaced()
    case "cleared":
      return new HeadwaterError("closed", "This account's data was cleared from this device. Connect again.")
    case "outdated":
      return outdated()
    case "closed":
      return new HeadwaterError("storage-unavailable", "The connection to the database is closed.")
  }
}

/** The database that this was meant for was deleted. Nothing was done. */
export class Replaced extends HeadwaterError {
  constructor() {
    super("storage-unavailable", "The database of this device was deleted.")
  }
}

export function outdated(cause?: unknown): HeadwaterError {
  const message = "A newer version of this app has opened the database. Reload the page."
  return new HeadwaterError("outdated", message, { cause })
}
