// The certificate library finds its parts through this one, so it comes first.
import 'reflect-metadata'
import { createPrivateKey, KeyObject } from 'node:crypto'
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { type CertificatePin, fingerprintOf } from '../certificate-pin.ts'

/** A server's certificate and key, as PEM. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
  readonly pin: CertificatePin
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY_MS = 24 * 60 * 60 * 1000

/** A certificate for `names` that nobody vouches for but itself, or the issuer that is given. */
export async function createCertificate(
  changes: {
    readonly names?: readonly string[]
    readonly issuer?: TestCertificate
    readonly authority?: boolean
  } = {},
): Promise<TestCertificate> {
  const { names = ['127.0.0.1'], issuer, authority = false } = changes
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const facts = {
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(authority),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: /^[\d.]+$/.test(value) ? 'ip' : 'dns', value }) as const),
      ),
    ],
  }
  const certificate =
    issuer === undefined
      ? await X509CertificateGenerator.createSelfSigned({ ...facts, name: 'CN=fake orc', keys })
      : await X509CertificateGenerator.create({
          ...facts,
          subject: 'CN=fake orc of another',
          issuer: 'CN=fake orc',
          publicKey: keys.publicKey,
          signingKey: await importKey(issuer.key),
        })
  return {
    cert: certificate.toString('pem'),
    key: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
    pin: fingerprintOf(new Uint8Array(certificate.rawData)),
  }
}

function importKey(pem: string): Promise<CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return crypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign'])
}
