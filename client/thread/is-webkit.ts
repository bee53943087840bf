/** Whether this is Safari's engine, which is in every browser of iOS: the others that name it name Chromium as well. */
export function isWebKit(userAgent: string | undefined = globalThis.navigator?.userAgent): boolean {
  return /\bAppleWebKit\//.test(userAgent ?? "") && !/\b(?:Headless)?Chrom(?:e|ium)\//.test(userAgent ?? "")
}
