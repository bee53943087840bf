declare const brand: unique symbol

/** A `T` that has passed the one check that its name stands for. Made only by the `parse*` function beside it. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
