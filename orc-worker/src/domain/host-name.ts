/** A name or address under which a server is reached, as it stands in URLs. */
export interface HostName {
  /** As URLs normalise it: lower case, IPv6 in brackets and shortest, other alphabets as `xn--…`. */
  readonly name: string
  /** Undefined: every port. */
  readonly port: number | undefined
}

/** A name, an IPv4 address or an IPv6 address in brackets, perhaps with a port behind it. No wildcard. */
const HOST = /^(?<name>\[[\da-f:.]+\]|[^\s:/?#@[\]\\,*%]+)(?::(?<port>\d{1,5}))?$/i

/** Reads `name`, `name:port`, `192.168.1.5:8787` or `[::1]:8787`. Undefined for anything else. */
export function parseHostName(text: string): HostName | undefined {
  const { name = '', port } = HOST.exec(text)?.groups ?? {}
  if (!URL.canParse(`http://${name}`) || Number(port ?? 0) > 65_535) return undefined
  return { name: new URL(`http://${name}`).hostname, port: port === undefined ? undefined : Number(port) }
}

/**
 * Whether a URL is for one of these. Without a port it is for 80 or 443: which of the two the caller dialled is known to
 * whoever ends TLS, and that may be a proxy.
 */
export function isNamed(url: URL, names: readonly HostName[]): boolean {
  const ports = url.port === '' ? [80, 443] : [Number(url.port)]
  return names.some(({ name, port }) => name === url.hostname && (port === undefined || ports.includes(port)))
}
