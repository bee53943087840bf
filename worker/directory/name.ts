/** The name of the one object that is the directory. */
export const DIRECTORY_NAME = "streams"
