/** The last batch that a stream took from one producer. */
export type ProducerMark = { readonly epoch: number; readonly seq: number }

/** What the producer rule says of a batch. */
export type Admission =
  | { readonly kind: "accept" }
  /** It was taken before; `known` is the last one taken. */
  | { readonly kind: "duplicate"; readonly known: ProducerMark }
  /** Somebody has begun a later epoch in this producer's name. */
  | { readonly kind: "fenced"; readonly epoch: number }
  /** A new epoch has to begin with seq 0. */
  | { readonly kind: "bad-start" }
  /** The epoch is so far ahead of the last one that nobody can have counted up to it. */
  | { readonly kind: "epoch-jump"; readonly epoch: number; readonly epochJumpMax: number }
  /** Batches before this one have not arrived. */
  | { readonly kind: "gap"; readonly expectedSeq: number }

/**
 * Whether a stream takes a batch that claims to be number `seq` of `epoch`, given the last one it took from the same
 * producer. An epoch may rise by `epochJumpMax` at once. Called in the transaction that stores the batch and its mark,
 * so that no number is ever taken twice.
 */
export function admit(known: ProducerMark | undefined, claim: ProducerMark, epochJumpMax: number): Admission {
  if (known === undefined) return claim.seq === 0 ? { kind: "accept" } : { kind: "gap", expectedSeq: 0 }
  if (claim.epoch < known.epoch) return { kind: "fenced", epoch: known.epoch }
  if (claim.epoch > known.epoch + epochJumpMax)
    return { kind: "epoch-jump", epoch: known.epoch, epochJumpMax }
  if (claim.epoch > known.epoch) return claim.seq === 0 ? { kind: "accept" } : { kind: "bad-start" }
  if (claim.seq <= known.seq) return { kind: "duplicate", known }
  return claim.seq === known.seq + 1 ? { kind: "accept" } : { kind: "gap", expectedSeq: known.seq + 1 }
}
