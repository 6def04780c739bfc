/**
 * The caller's IP address. Cloudflare states it in a header that it always sets itself. Raw workerd states the peer of the
 * connection in `cf`, and passes that header on as the caller wrote it: it counts only where there is no better word.
 * Undefined where neither is known.
 */
export function clientAddress(request: Request): string | undefined {
  const peer = request.cf?.['clientIp']
  if (typeof peer === 'string') return withoutPort(peer)
  return request.headers.get('cf-connecting-ip') ?? undefined
}

/** `1.2.3.4:567` or `[::1]:567`, as workerd writes a peer. */
function withoutPort(peer: string): string {
  // The zone of a link-local address (RFC 4007 §11) says which of our interfaces it came by.
  const bracketed = /^\[([^\]%]+)/.exec(peer)?.[1]
  if (bracketed !== undefined) return bracketed
  return peer.split(':').length === 2 ? (peer.split(':')[0] ?? peer) : peer
}
