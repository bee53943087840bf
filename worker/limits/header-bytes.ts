const OF_THE_PROTOCOL = /^(stream|producer)-|^content-type$|^if-none-match$/

/** What is wrong with the size of a request's headers, those of the protocol; undefined when nothing is. */
export function headerBytesFault(headers: Headers, bytesMax: number): string | undefined {
  let bytes = 0
  for (const [name, value] of headers) {
    if (OF_THE_PROTOCOL.test(name)) bytes += name.length + value.length
  }
  if (bytes <= bytesMax) return undefined
  return `The headers of the protocol may have ${bytesMax} bytes in one request; these have ${bytes}.`
}
