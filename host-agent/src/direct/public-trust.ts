import { isIP } from 'node:net'
import { checkServerIdentity, connect } from 'node:tls'

/** The listener is on this machine, so it answers soon or not at all. */
const TIMEOUT_MS = 5_000

/**
 * True if clients that trust the usual authorities accept the certificate that a listener shows for `name`: asked as they
 * would, with a handshake, so that chain, name and time all count.
 */
export function isPubliclyTrusted(
  listener: { readonly host: string; readonly port: number },
  name: string,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      ...listener,
      // Server names are no addresses (RFC 6066 §3).
      ...(isIP(name) === 0 && { servername: name }),
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
      timeout: TIMEOUT_MS,
    })
    const finish = (trusted: boolean): void => {
      socket.destroy()
      resolve(trusted)
    }
    socket.on('secureConnect', () => finish(socket.authorized))
    socket.on('error', () => finish(false))
    socket.on('timeout', () => finish(false))
  })
}
