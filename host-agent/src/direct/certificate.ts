import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { OPEN_TO_OTHERS, refuseAccess } from '../state/identity.ts'
import { readJsonFile, writeJsonFile } from '../state/json-file.ts'
import type { TlsPair } from './direct-server.ts'
import type { CertificateFiles } from './listen-plan.ts'
import { makeSelfSigned } from './self-signed.ts'

/** Letters, digits and hyphens between dots (RFC 1123 §2.1); some machines are called otherwise. */
const HOST_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i

const storedPair = z.object({ certificate: z.string(), key: z.string() })

/** SHA-256 of a certificate's DER, lower-case hex: what Consumers pin. */
export function fingerprintOf(certificatePem: string): string {
  return createHash('sha256').update(new X509Certificate(certificatePem).raw).digest('hex')
}

/**
 * The Host's own certificate: made once and kept, because Consumers are told its fingerprint; made anew when it has expired.
 * Certificate and key are one file, so that they always belong together. Throws a `FatalError` for a broken
 * file, and for a key that others can read.
 */
export async function ownCertificate(
  stateFolder: string,
  names: readonly string[],
  now: Date,
): Promise<TlsPair> {
  const path = join(stateFolder, 'direct', 'certificate.json')
  await refuseAccess(path, OPEN_TO_OTHERS, 'can be read by others', 'chmod 600')
  const stored = await readJsonFile(path, storedPair)
  if (stored !== undefined) {
    const problem = problemOf(stored, now)
    if (problem === undefined) return stored
    if (problem !== 'expired')
      throw new FatalError(
        ExitCode.State,
        'state_unusable',
        `${path} is broken (${problem}); restore it from a backup, or delete it to make a new certificate`,
      )
  }
  const pair = await makeSelfSigned([...names, ...machineNames()], now)
  await writeJsonFile(path, pair)
  return pair
}

/** The owner's certificate. Throws a `FatalError` that says what is wrong with it. */
export async function givenCertificate(
  { certificateFile, keyFile }: CertificateFiles,
  now: Date,
): Promise<TlsPair> {
  const pair = { certificate: await readPem(certificateFile), key: await readPem(keyFile) }
  const problem = problemOf(pair, now)
  if (problem === undefined) return pair
  throw certificateError(
    `${certificateFile} with ${keyFile} cannot be used: ${problem}; give others, or leave them out to let this Host make its own`,
  )
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw certificateError(
      `${path} cannot be read; give PEM files with --direct-cert and --direct-key`,
      cause,
    )
  }
}

/** What is wrong with a server's certificate, the first of its chain (RFC 8446 §4.4.2), or its key. */
function problemOf({ certificate: pem, key }: TlsPair, now: Date): string | undefined {
  try {
    const certificate = new X509Certificate(pem)
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return 'the key belongs to another certificate'
    if (new Date(certificate.validFrom) > now) return `it is valid from ${certificate.validFrom} only`
    return new Date(certificate.validTo) <= now ? 'expired' : undefined
  } catch {
    return 'it is no certificate, or no unencrypted private key, in PEM'
  }
}

/** Under which names and addresses others may find this machine. */
function machineNames(): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .map(({ address }) => address.replace(/%.*$/, ''))
  const names = ['localhost', hostname().toLowerCase()].filter((name) => HOST_NAME.test(name))
  return [...names, '127.0.0.1', '::1', ...addresses]
}

function certificateError(message: string, cause?: unknown): FatalError {
  return new FatalError(ExitCode.Usage, 'direct_certificate_unusable', message, cause)
}
