import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import { writePrivateFile } from '../atomic-file.ts'
import { messageOf, OrcError, systemCode } from '../errors.ts'
import type { SECRET_NAMES } from './bindings.ts'
import type { StateFolder } from './state-folder.ts'

/** An Orc's secrets, in the shape of `wrangler deploy --secrets-file`. */
export type OrcSecrets = Readonly<Record<(typeof SECRET_NAMES)[number], string>>

/** Makes the secrets of a new Orc. */
export async function generateSecrets(): Promise<OrcSecrets> {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true })
  const jwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  return {
    ORC_SECRET: randomBytes(32).toString('base64url'),
    SIGNING_KEYS: JSON.stringify([{ ...jwk, kid, alg: 'Ed25519', use: 'sig' }]),
    SETUP_TOKEN: `daisi_setup_${randomBytes(24).toString('base64url')}`,
  }
}

/**
 * The secrets of a state folder; made at its first use. A file that cannot be read is never replaced: every key that
 * this Orc ever gave out depends on it.
 */
export async function loadSecrets(folder: StateFolder): Promise<OrcSecrets> {
  let text: string
  try {
    text = await readFile(folder.secretsFile, 'utf8')
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT') throw broken(folder, messageOf(cause), cause)
    if ((await readdir(folder.storageDir)).length > 0)
      throw broken(folder, 'it is missing, although there is data', cause)
    const secrets = await generateSecrets()
    await writePrivateFile(folder.secretsFile, `${JSON.stringify(secrets, undefined, 2)}\n`)
    return secrets
  }
  try {
    return await parseSecrets(text)
  } catch (cause) {
    throw broken(folder, messageOf(cause), cause)
  }
}

async function parseSecrets(text: string): Promise<OrcSecrets> {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) throw new Error('it is not a JSON object')
  const ORC_SECRET = textField(value, 'ORC_SECRET')
  const SIGNING_KEYS = textField(value, 'SIGNING_KEYS')
  const SETUP_TOKEN = textField(value, 'SETUP_TOKEN')
  if (Buffer.from(ORC_SECRET, 'base64url').length !== 32)
    throw new Error('ORC_SECRET is not 32 bytes in base64url')
  const keys: unknown = JSON.parse(SIGNING_KEYS)
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('SIGNING_KEYS is not an array of keys')
  await Promise.all(keys.map((key: JWK) => requireSigningKey(key)))
  return { ORC_SECRET, SIGNING_KEYS, SETUP_TOKEN }
}

function textField(value: object, name: string): string {
  const field: unknown = Reflect.get(value, name)
  if (typeof field !== 'string' || field === '') throw new Error(`${name} is missing`)
  return field
}

async function requireSigningKey(key: JWK): Promise<void> {
  const complete = key.kty === 'OKP' && key.crv === 'Ed25519' && typeof key.d === 'string'
  if (!complete || key.kid !== (await calculateJwkThumbprint(key))) {
    throw new Error('SIGNING_KEYS holds something else than private Ed25519 keys named by their thumbprints')
  }
}

function broken(folder: StateFolder, reason: string, cause: unknown): OrcError {
  const advice =
    'Restore it from a backup. Without it this Orc cannot check the keys it gave out, so it is left as it is.'
  return new OrcError('state_broken', `${folder.secretsFile} cannot be used: ${reason}. ${advice}`, { cause })
}
