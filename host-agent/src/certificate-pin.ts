import { createHash } from 'node:crypto'

declare const pinBrand: unique symbol

/** SHA-256 of a certificate's DER: `sha256:` and 64 small hex digits. */
export type CertificatePin = string & { readonly [pinBrand]: true }

const PIN = /^(?:sha256:)?([0-9a-f]{2}(?::[0-9a-f]{2}){31}|[0-9a-f]{64})$/i

/** A fingerprint as people write it: with or without `sha256:`, with or without colons, in any case. Undefined for anything else. */
export function parseCertificatePin(text: string): CertificatePin | undefined {
  const digits = PIN.exec(text)?.[1]
  return digits === undefined ? undefined : toPin(digits.replaceAll(':', '').toLowerCase())
}

/** The fingerprint of a certificate, given as DER. */
export function fingerprintOf(der: Uint8Array): CertificatePin {
  return toPin(createHash('sha256').update(der).digest('hex'))
}

function toPin(digits: string): CertificatePin {
  return `sha256:${digits}` as CertificatePin
}
