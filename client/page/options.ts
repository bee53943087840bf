import { HeadwaterError } from "../../shared/errors.ts"

// What `connect` expects of its options, and what it says of others.

export function noTokenGiver(token: unknown): HeadwaterError {
  const expected = "connect expects token to be a function that gives a token, now or later"
  return new HeadwaterError("invalid-options", `${expected}; ${typeof token} came.`)
}

export function insecure(): HeadwaterError {
  return new HeadwaterError(
    "unsupported",
    `Browsers give locks and ids to secure contexts only: https, or http on localhost. ${location.origin} is neither.`,
  )
}

export function edgeAddress(edge: unknown): string {
  const url = typeof edge === "string" && URL.canParse(edge) ? new URL(edge) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    throw new HeadwaterError(
      "invalid-options",
      `connect expects edge to be the http(s) address of an edge, such as "https://streams.example"; ` +
        `${JSON.stringify(edge) ?? String(edge)} came.`,
    )
  }
  return url.href.replace(/\/+$/, "")
}

export function accountName(account: unknown): string {
  if (account === undefined) return "default"
  if (typeof account === "string" && account !== "") return account
  throw new HeadwaterError(
    "invalid-options",
    `connect expects account to be a non-empty string; ${JSON.stringify(account) ?? String(account)} came.`,
  )
}
