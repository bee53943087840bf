const IPV4_LOOPBACK = /^127(\.\d{1,3}){3}$/

/** Whether a URL's host name means this machine, as the URL standard writes it: any spelling of an address is one. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || IPV4_LOOPBACK.test(hostname)
}
