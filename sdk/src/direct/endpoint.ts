/**
 * Names and addresses that no packet leaves the local network for: loopback, RFC 1918, link-local, unique local (RFC 4193). An IPv6
 * address that has one of them inside (NAT64, 6to4, IPv4-compatible) leads to a translator, and is none.
 */
const PRIVATE =
  /^(?:(?:.+\.)?localhost\.?|(?:127|10)(?:\.\d+){3}|(?:192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d+){2}|\[(?:::1|f[cd][\da-f]{2}:.*|fe[89ab][\da-f]:.*)\])$/

/** Whether a prompt may be sent there: with TLS anywhere, without it only where nobody outside can listen (rule D10). */
export function isSafeEndpoint(endpoint: string): boolean {
  let url: URL
  try {
    url = new URL(endpoint)
  } catch {
    return false
  }
  // Nothing may follow the address, and nobody's password be in it.
  if (/[?#@]|\/$/.test(endpoint)) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && PRIVATE.test(url.hostname))
}
