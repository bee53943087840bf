/** The version of this package, which an edge tells at `/health`. */
export const VERSION = "0.1.0"
