import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { ExitCode, FatalError } from '../exit-codes.ts'

/** Longer paths do not fit into a socket's address on every system (`sun_path` holds 104 bytes on macOS, 108 on Linux). */
const LONGEST_SOCKET_PATH_BYTES = 100

/** A place for the agent's socket. */
export interface ControlAddress {
  /** Of a socket's file, or a pipe's name. */
  readonly path: string
  /** True if its folder is one that others could have made, and must be looked at first. */
  readonly apart: boolean
}

/**
 * Where the agent of a state folder listens for commands, best first: a file in the folder itself; for long paths, and for
 * file systems that hold no sockets, one in a folder of this user's own in /tmp. Not the system's folder for temporary files,
 * which differs between a service and a shell. On Windows a named pipe.
 */
export async function controlAddresses(stateFolder: string): Promise<readonly ControlAddress[]> {
  const folder = await realpath(stateFolder).catch(() => resolve(stateFolder))
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  if (process.platform === 'win32') return [{ path: `\\\\.\\pipe\\daisi-host-${hash}`, apart: false }]
  const beside = join(folder, 'control.sock')
  const apart = join('/tmp', `daisi-host-${process.getuid?.() ?? 0}`, `${hash}.sock`)
  const addresses = [{ path: apart, apart: true }]
  if (Buffer.byteLength(beside) <= LONGEST_SOCKET_PATH_BYTES)
    addresses.unshift({ path: beside, apart: false })
  return addresses
}

/** Makes the folder of a socket that stands apart. Throws a `FatalError` if somebody else made it first. */
export async function prepareAddress({ path, apart }: ControlAddress): Promise<void> {
  if (!apart) return
  const folder = dirname(path)
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  if (!(await isTrusted({ path, apart }))) {
    const message = `${folder} belongs to somebody else; have it removed, or give a shorter path with --state`
    throw new FatalError(ExitCode.State, 'state_exposed', message)
  }
  await chmod(folder, 0o700)
}

/** False if somebody else may listen there: they are not trusted with commands, or with answers. */
export async function isTrusted({ path, apart }: ControlAddress): Promise<boolean> {
  if (!apart) return true
  const found = await lstat(dirname(path)).catch(() => undefined)
  return found !== undefined && found.isDirectory() && found.uid === process.getuid?.()
}
