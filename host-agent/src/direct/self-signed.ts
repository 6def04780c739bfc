import { createPrivateKey, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { TlsPair } from './direct-server.ts'

const VALID_YEARS = 10
/** Clocks differ. */
const EARLIER_MS = 24 * 60 * 60 * 1000
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** Makes a server certificate (RFC 5280) that its own key signs, ECDSA on P-256, valid for ten years. */
export async function makeSelfSigned(names: readonly string[], now: Date): Promise<TlsPair> {
  // Loaded only now: the library takes longer to load than everything else of a start. It finds its parts through the first one.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const notAfter = new Date(now)
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + VALID_YEARS)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=DAISI Host',
    notBefore: new Date(now.getTime() - EARLIER_MS),
    notAfter,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        [...new Set(names)].map((value) =>
          isIP(value) === 0 ? { type: 'dns' as const, value } : { type: 'ip' as const, value },
        ),
      ),
    ],
  })
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    type: 'pkcs8',
    format: 'pem',
  })
  return { certificate: `${certificate.toString('pem').trim()}\n`, key: key.toString() }
}

/** 16 random bytes that are a positive number (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}
