import type { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { writePrivateFile } from '../atomic-file.ts'
import { messageOf, OrcError, systemCode } from '../errors.ts'
import type { StateFolder } from '../orc/state-folder.ts'
import { pinOf } from '../pinned-https.ts'
import { checkPair } from './check-pair.ts'
import { ownNames } from './own-names.ts'
import { makeSelfSigned } from './self-signed.ts'

/** Where a certificate (PEM, its chain after it) and its key are. */
export interface CertificateFiles {
  readonly certificateFile: string
  readonly keyFile: string
}

/** Which certificate an Orc serves with: one that it makes itself, or the given one. */
export type TlsChoice = 'self-signed' | CertificateFiles

/** The certificate that an Orc serves with. */
export interface ServerCertificate extends CertificateFiles {
  /** `sha256:` and the hex SHA-256 of its DER: what clients pin. */
  readonly pin: string
  /** Names and addresses that it is for, wildcards included. */
  readonly names: readonly string[]
  /** Nobody vouches for it: clients have to pin it, or to trust its file. */
  readonly isSelfSigned: boolean
  /** Set when it was made just now because the one before had expired: clients that pinned that one need the new pin. */
  readonly replaced: boolean
}

/**
 * The certificate to serve with. An Orc's own is made at its first use and kept, because clients pin it; it is made
 * anew only when it has expired.
 *
 * @throws OrcError `certificate_…` for a given one, `state_broken` for an Orc's own
 */
export async function serverCertificate(
  choice: TlsChoice,
  folder: StateFolder,
  listenHost: string,
  now = new Date(),
): Promise<ServerCertificate> {
  return choice === 'self-signed' ? own(folder, listenHost, now) : given(choice, now)
}

async function given(choice: CertificateFiles, now: Date): Promise<ServerCertificate> {
  const files = { certificateFile: resolve(choice.certificateFile), keyFile: resolve(choice.keyFile) }
  const check = checkPair(
    { certificate: await readGiven(files.certificateFile), key: await readGiven(files.keyFile) },
    now,
  )
  if (!check.ok) {
    throw new OrcError(
      check.code,
      `${files.certificateFile} with ${files.keyFile} cannot be used: ${check.reason}. Give others, or let the Orc make its own (--tls).`,
    )
  }
  const { certificate } = check
  const isSelfSigned = certificate.issuer === certificate.subject
  return { ...files, ...facts(certificate), isSelfSigned, replaced: false }
}

/** Node writes the names of a certificate as `DNS:orc.lan, IP Address:10.0.0.1`. */
function facts(certificate: X509Certificate): Pick<ServerCertificate, 'pin' | 'names'> {
  const entries = (certificate.subjectAltName ?? '').split(', ')
  const names = entries.flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? [])
  return { pin: pinOf(certificate), names }
}

async function readGiven(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new OrcError(
      'certificate_missing',
      `${path} cannot be read (${systemCode(cause) ?? messageOf(cause)}). Name the PEM files of the certificate and of its key.`,
      { cause },
    )
  }
}

async function own(folder: StateFolder, listenHost: string, now: Date): Promise<ServerCertificate> {
  const files = { certificateFile: folder.certificateFile, keyFile: folder.certificateKeyFile }
  const certificate = await readOwn(files.certificateFile)
  if (certificate === undefined) return make(files, listenHost, now, false)
  const key = await readOwn(files.keyFile)
  if (key === undefined) throw unusable(files, 'its key is missing')
  const check = checkPair({ certificate, key }, now)
  if (check.ok) return { ...files, ...facts(check.certificate), isSelfSigned: true, replaced: false }
  if (check.code === 'certificate_expired') return make(files, listenHost, now, true)
  throw unusable(files, check.reason)
}

/** The key first: a certificate without a key would be taken for a loss. */
async function make(
  files: CertificateFiles,
  listenHost: string,
  now: Date,
  replaced: boolean,
): Promise<ServerCertificate> {
  const pair = await makeSelfSigned(ownNames(listenHost), now)
  const check = checkPair(pair, now)
  if (!check.ok) throw new Error(`the new certificate is of no use: ${check.reason}`)
  await writePrivateFile(files.keyFile, pair.key)
  await writePrivateFile(files.certificateFile, pair.certificate)
  return { ...files, ...facts(check.certificate), isSelfSigned: true, replaced }
}

async function readOwn(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw new OrcError('state_broken', `${path} cannot be read (${messageOf(cause)}).`, { cause })
  }
}

function unusable({ certificateFile, keyFile }: CertificateFiles, reason: string): OrcError {
  return new OrcError(
    'state_broken',
    `${certificateFile} cannot be used: ${reason}. Restore it and ${keyFile} from a backup, or delete both: ` +
      'the next start makes new ones, whose fingerprint everybody who pins it must be given.',
  )
}
