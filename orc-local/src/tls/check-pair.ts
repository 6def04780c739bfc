import { createPrivateKey, X509Certificate } from 'node:crypto'
import { messageOf } from '../errors.ts'
import type { KeyPair } from './self-signed.ts'

/** Whether a server can use a certificate and a key. */
export type PairCheck =
  | { readonly ok: true; readonly certificate: X509Certificate }
  | {
      readonly ok: false
      readonly code: 'certificate_invalid' | 'certificate_mismatch' | 'certificate_expired'
      readonly reason: string
    }

/** Looks at the first certificate of a chain, which is the server's own (RFC 8446, 4.4.2), and at its key. */
export function checkPair({ certificate: certificatePem, key: keyPem }: KeyPair, now: Date): PairCheck {
  const invalid = (reason: string): PairCheck => ({ ok: false, code: 'certificate_invalid', reason })
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(certificatePem)
  } catch (error) {
    return invalid(`the certificate is not one in PEM (${messageOf(error)})`)
  }
  try {
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem)))
      return { ok: false, code: 'certificate_mismatch', reason: 'the key belongs to another certificate' }
  } catch (error) {
    return invalid(`the key is not an unencrypted private key in PEM (${messageOf(error)})`)
  }
  if (new Date(certificate.validFrom) > now) return invalid(`it is valid from ${certificate.validFrom} only`)
  if (new Date(certificate.validTo) <= now)
    return { ok: false, code: 'certificate_expired', reason: `it expired on ${certificate.validTo}` }
  return { ok: true, certificate }
}
