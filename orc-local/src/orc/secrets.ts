import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { writePrivateFile } from '../atomic-file.ts'
import { messageOf, OrcError, systemCode } from '../errors.ts'
import type { SECRET_NAMES } from './bindings.ts'
import {
  makeSigningKeys,
  parseSigningKeys,
  replaceKeys,
  rotateKeys,
  type KeyRotation,
} from './signing-keys.ts'
import type { StateFolder } from './state-folder.ts'

/** An Orc's secrets, in the shape of `wrangler deploy --secrets-file`. */
export type OrcSecrets = Readonly<Record<(typeof SECRET_NAMES)[number], string>>

/** Makes the secrets of a new Orc. */
export async function generateSecrets(): Promise<OrcSecrets> {
  return {
    ORC_SECRET: randomBytes(32).toString('base64url'),
    SIGNING_KEYS: JSON.stringify(await makeSigningKeys()),
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
    if (systemCode(cause) !== 'ENOENT') throw broken(folder.secretsFile, messageOf(cause), cause)
    if ((await readdir(folder.storageDir)).length > 0)
      throw broken(folder.secretsFile, 'it is missing, although there is data', cause)
    const secrets = await generateSecrets()
    await writeSecrets(folder.secretsFile, secrets)
    return secrets
  }
  try {
    return pickSecrets(await parseFields(text))
  } catch (cause) {
    throw broken(folder.secretsFile, messageOf(cause), cause)
  }
}

/**
 * Rotates the signing keys in a file of secrets, or replaces all of them. Everything else in the file stays. The Orc
 * that uses the file must not run.
 *
 * @throws OrcError `state_broken`
 */
export async function rotateSecretsFile(path: string, isEmergency: boolean): Promise<KeyRotation['outcome']> {
  let fields: SecretFields
  try {
    fields = await parseFields(await readFile(path, 'utf8'))
  } catch (cause) {
    throw broken(path, messageOf(cause), cause)
  }
  const { keys, outcome } = isEmergency
    ? await replaceKeys()
    : await rotateKeys(await parseSigningKeys(fields.SIGNING_KEYS))
  await writeSecrets(path, { ...fields, SIGNING_KEYS: JSON.stringify(keys) })
  return outcome
}

/** What a file of secrets holds: at least these. */
type SecretFields = OrcSecrets & Readonly<Record<string, unknown>>

function writeSecrets(path: string, secrets: OrcSecrets): Promise<void> {
  return writePrivateFile(path, `${JSON.stringify(secrets, undefined, 2)}\n`)
}

function pickSecrets({ ORC_SECRET, SIGNING_KEYS, SETUP_TOKEN }: OrcSecrets): OrcSecrets {
  return { ORC_SECRET, SIGNING_KEYS, SETUP_TOKEN }
}

async function parseFields(text: string): Promise<SecretFields> {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) throw new Error('it is not a JSON object')
  const ORC_SECRET = textField(value, 'ORC_SECRET')
  const SIGNING_KEYS = textField(value, 'SIGNING_KEYS')
  const SETUP_TOKEN = textField(value, 'SETUP_TOKEN')
  if (Buffer.from(ORC_SECRET, 'base64url').length !== 32)
    throw new Error('ORC_SECRET is not 32 bytes in base64url')
  await parseSigningKeys(SIGNING_KEYS)
  return { ...value, ORC_SECRET, SIGNING_KEYS, SETUP_TOKEN }
}

function textField(value: object, name: string): string {
  const field: unknown = Reflect.get(value, name)
  if (typeof field !== 'string' || field === '') throw new Error(`${name} is missing`)
  return field
}

function broken(path: string, reason: string, cause: unknown): OrcError {
  const advice =
    'Restore it from a backup. Without it this Orc cannot check the keys it gave out, so it is left as it is.'
  return new OrcError('state_broken', `${path} cannot be used: ${reason}. ${advice}`, { cause })
}
