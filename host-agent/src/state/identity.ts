import { createPublicKey, generateKeyPairSync, type KeyObject, createPrivateKey } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type HostId, type HostPublicKey, hostPublicKey } from '@daisi/protocol'
import { calculateJwkThumbprint, SignJWT } from 'jose'
import * as z from 'zod'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { readJsonFile, writeJsonFile } from './json-file.ts'

const storedKey = hostPublicKey.extend({ d: z.string().regex(/^[A-Za-z0-9_-]{43}$/) })
type StoredKey = z.infer<typeof storedKey>

/** Bits of a file mode. */
export const OPEN_TO_OTHERS = 0o077
const WRITABLE_BY_OTHERS = 0o022

/** The Host's key pair. The private half never leaves this object. */
export class Identity {
  readonly hostId: HostId
  readonly publicKey: HostPublicKey
  readonly #privateKey: KeyObject

  private constructor(hostId: HostId, publicKey: HostPublicKey, privateKey: KeyObject) {
    this.hostId = hostId
    this.publicKey = publicKey
    this.#privateKey = privateKey
  }

  static async fromKey({ d, ...publicKey }: StoredKey): Promise<Identity> {
    const privateKey = createPrivateKey({ key: { ...publicKey, d }, format: 'jwk' })
    // A private key does not check the public half beside it: signing under a false name is caught here.
    if (createPublicKey(privateKey).export({ format: 'jwk' }).x !== publicKey.x)
      throw new Error('the halves differ')
    return new Identity(await calculateJwkThumbprint(publicKey), publicKey, privateKey)
  }

  /** A compact JWS of the claims, signed with this Host's key. `withKey` puts the public key into the header. */
  sign(claims: Record<string, unknown>, type: string, withKey: boolean): Promise<string> {
    const jwk = withKey ? { jwk: this.publicKey } : {}
    return new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: type, ...jwk }).sign(this.#privateKey)
  }
}

/**
 * The identity in a state folder; made on first use. A broken file is an error and is never replaced. So is a key that others
 * can read, or a folder that others can write to: somebody may have it already, or could slip in keys of his own.
 */
export async function loadIdentity(stateFolder: string): Promise<Identity> {
  const path = join(stateFolder, 'identity.json')
  await refuseAccess(stateFolder, WRITABLE_BY_OTHERS, 'can be written to by others', 'chmod go-w')
  await refuseAccess(path, OPEN_TO_OTHERS, 'can be read by others', 'chmod 600')
  const stored = await readJsonFile(path, storedKey)
  if (stored === undefined) {
    const key = newKey()
    await writeJsonFile(path, key)
    return Identity.fromKey(key)
  }
  try {
    return await Identity.fromKey(stored)
  } catch (cause) {
    const message = `${path} is no Ed25519 key pair; restore it from a backup, or move it away to become a new Host`
    throw new FatalError(ExitCode.State, 'state_unusable', message, cause)
  }
}

/** Throws a `FatalError` for a path with forbidden mode bits. Windows has other permissions; there the folder of settings is its owner's anyway. */
export async function refuseAccess(
  path: string,
  forbidden: number,
  problem: string,
  remedy: string,
): Promise<void> {
  if (process.platform === 'win32') return
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || (found.mode & forbidden) === 0) return
  const message = `${path} ${problem}; close it with: ${remedy} '${path}'`
  throw new FatalError(ExitCode.State, 'state_exposed', message)
}

function newKey(): StoredKey {
  const { privateKey } = generateKeyPairSync('ed25519')
  return storedKey.parse(privateKey.export({ format: 'jwk' }))
}
