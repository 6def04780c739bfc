import { isIP } from 'node:net'
import { connect } from 'node:tls'

/**
 * The certificate that a server shows, as DER. The connection is made for this alone: whom it reached is not verified, so
 * nothing is sent over it and it ends with the handshake. Rejects with the network's error, or when the signal is aborted.
 */
export function learnCertificate(url: string, signal: AbortSignal): Promise<Buffer> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: port === '' ? 443 : Number(port),
      ...(isIP(host) === 0 && { servername: host }),
      rejectUnauthorized: false,
    })
    const onAbort = (): void => void socket.destroy(new Error('no TLS handshake in time'))
    socket.on('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      socket.destroy()
      if (certificate === undefined) reject(new Error('the Orc shows no certificate'))
      else resolve(certificate.raw)
    })
    socket.on('error', reject)
    socket.on('close', () => {
      signal.removeEventListener('abort', onAbort)
      reject(new Error('the connection closed during the TLS handshake'))
    })
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
}
