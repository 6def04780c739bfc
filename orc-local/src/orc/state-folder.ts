import { access, chmod, constants, mkdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { messageOf, OrcError, systemCode } from '../errors.ts'

/** The places inside an Orc's state folder. */
export interface StateFolder {
  readonly dir: string
  /** Names the process that runs the Orc. */
  readonly lockFile: string
  /** Names workerd's process, while it runs. */
  readonly processFile: string
  /** Names the process that makes a backup. */
  readonly backupLockFile: string
  readonly secretsFile: string
  /** The certificate that the Orc made for itself, and its key. */
  readonly certificateFile: string
  readonly certificateKeyFile: string
  /** Generated at every start; holds no secret. */
  readonly configFile: string
  /** The Durable Objects' databases, the book among them. */
  readonly storageDir: string
}

/** Opens an Orc's state folder; makes it if it is missing. */
export async function openStateFolder(path: string): Promise<StateFolder> {
  const folder = places(await openPrivateFolder(path))
  await openPrivateFolder(folder.storageDir)
  return folder
}

/** The state folder of an Orc that ran before. Nothing is made. */
export async function existingStateFolder(path: string): Promise<StateFolder> {
  const folder = places(resolve(path))
  try {
    await access(folder.secretsFile, constants.R_OK)
  } catch (cause) {
    throw new OrcError(
      'state_broken',
      `${folder.dir} is not the state folder of an Orc: its secrets.json cannot be read. Name it with --state.`,
      { cause },
    )
  }
  return folder
}

function places(dir: string): StateFolder {
  return {
    dir,
    storageDir: join(dir, 'do'),
    lockFile: join(dir, 'orc.lock'),
    processFile: join(dir, 'workerd.json'),
    backupLockFile: join(dir, 'backup.lock'),
    secretsFile: join(dir, 'secrets.json'),
    certificateFile: join(dir, 'tls-certificate.pem'),
    certificateKeyFile: join(dir, 'tls-key.pem'),
    configFile: join(dir, 'workerd.capnp'),
  }
}

/** Makes a folder usable: it exists, can be written to, and nobody else can look into it. Returns its full path. */
export async function openPrivateFolder(path: string): Promise<string> {
  const dir = resolve(path)
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK)
    if (((await stat(dir)).mode & 0o077) !== 0 && process.platform !== 'win32') await chmod(dir, 0o700)
  } catch (cause) {
    throw new OrcError(
      'state_broken',
      `${describe(cause, dir)} Choose another state folder or repair this one.`,
      { cause },
    )
  }
  return dir
}

function describe(cause: unknown, dir: string): string {
  const code = systemCode(cause) ?? ''
  if (['EEXIST', 'ENOTDIR'].includes(code)) return `The state folder ${dir} is not a folder.`
  if (['EACCES', 'EPERM', 'EROFS'].includes(code)) {
    return `The state folder ${dir} cannot be written to by this user.`
  }
  return `The state folder ${dir} cannot be used (${messageOf(cause)}).`
}
