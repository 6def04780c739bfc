import { access, chmod, constants, mkdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { messageOf, OrcError, systemCode } from '../errors.ts'

/** The places inside an Orc's state folder. */
export interface StateFolder {
  readonly dir: string
  readonly lockFile: string
  readonly secretsFile: string
  /** Generated at every start; holds no secret. */
  readonly configFile: string
  /** The Durable Objects' databases, the book among them. */
  readonly storageDir: string
}

/** Opens an Orc's state folder; makes it if it is missing. */
export async function openStateFolder(path: string): Promise<StateFolder> {
  const dir = await openPrivateFolder(path)
  const storageDir = await openPrivateFolder(join(dir, 'do'))
  return {
    dir,
    storageDir,
    lockFile: join(dir, 'orc.lock'),
    secretsFile: join(dir, 'secrets.json'),
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
