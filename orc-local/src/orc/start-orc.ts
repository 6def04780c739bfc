import { acquireLock } from '../lock-file.ts'
import { writePrivateFile } from '../atomic-file.ts'
import { stopChild, type ChildExit } from '../child/stop-child.ts'
import { OrcError } from '../errors.ts'
import { type ServerCertificate, serverCertificate, type TlsChoice } from '../tls/server-certificate.ts'
import { builtArtefacts, requireArtefacts, workerdBinary, type Artefacts } from './artefacts.ts'
import { DEFAULT_VARS, OPTIONAL_SECRET_NAMES, type OptionalSecrets } from './bindings.ts'
import { CONTROL_SOCKET, ORC_SOCKET, workerdConfig } from './config.ts'
import { formatAddress, localUrl, requireFreeAddress } from './listen-address.ts'
import type { LoginCode } from './login-codes.ts'
import { readMigrations } from './migrations.ts'
import { ownHosts } from './own-hosts.ts'
import { PRIVATE_VARS, PUBLIC_ADDRESSES } from './private-network.ts'
import { forgetProcess, noteProcess } from './process-note.ts'
import { readRowsWritten, requireHealthy, requireMigrated } from './readiness.ts'
import { loadSecrets, type OrcSecrets } from './secrets.ts'
import { openStateFolder, type StateFolder } from './state-folder.ts'
import { startWorkerd } from './workerd-process.ts'

/** How long workerd may take to finish its requests. It never ends by itself while a WebSocket is open. */
const STOP_GRACE_MS = 2_000

/** What an Orc needs to run. Only the state folder has no default. */
export interface OrcOptions extends Partial<Artefacts> {
  /** Where secrets and databases live. Made if it is missing. One Orc at a time. */
  readonly stateDir: string
  /** Address to listen on, default `127.0.0.1`. */
  readonly host?: string
  /** Default 8787; 0 takes a free one. */
  readonly port?: number
  /** Serve HTTPS, with a certificate that the Orc makes for itself or with a given one. Plain HTTP without it. */
  readonly tls?: TlsChoice
  /** Names under which others reach it beyond this machine's own, with or without a port: of a proxy, of a name server. */
  readonly publicNames?: readonly string[]
  /** Serve inside addresses only, by invitation only, and contact nothing outside. Goes before `vars` and `outbound`. */
  readonly isPrivate?: boolean
  /** Addresses that the Orc may contact: CIDR, or workerd's `public` (the default) and `private`. */
  readonly outbound?: readonly string[]
  /** Secrets of services that the Orc asks. No file gets them. */
  readonly secrets?: OptionalSecrets
  /** Settings of the Worker over the defaults of wrangler.toml, such as `ORC_NAME`. */
  readonly vars?: Readonly<Record<string, string>>
  /** Gets each line that workerd or the Worker writes. */
  readonly log?: (line: string) => void
  /** Gets the login codes that the Worker writes with `LOGIN_EMAIL` = `console`. `log` never does. */
  readonly onLoginCode?: (code: LoginCode) => void
  /** How long `stop()` waits before it kills, default 2,000. */
  readonly stopGraceMs?: number
}

/** An Orc that serves. */
export interface RunningOrc {
  /** Where this machine reaches it. */
  readonly url: string
  readonly port: number
  /** What it serves HTTPS with; undefined with plain HTTP. */
  readonly certificate: ServerCertificate | undefined
  /** Process id of workerd. */
  readonly pid: number
  /** Opens `POST /api/setup`, once. */
  readonly setupToken: string
  /** Rows written to the book since it started, counted as D1 bills them. */
  readonly rowsWritten: () => Promise<number>
  /** Resolves when workerd is gone, for whatever reason. */
  readonly exited: Promise<ChildExit>
  /** Stops it; everything that was acknowledged is on disk. */
  readonly stop: () => Promise<void>
  /** Ends it at once, as a power cut would. */
  readonly kill: () => Promise<void>
}

/**
 * Starts an Orc. It resolves when the Orc serves, its database being migrated.
 *
 * @throws OrcError with a stable `code`
 */
export async function startOrc(options: OrcOptions): Promise<RunningOrc> {
  const folder = await openStateFolder(options.stateDir)
  const lock = acquireLock(folder.lockFile)
  if (!lock.ok) {
    throw new OrcError(
      'state_locked',
      `Another Orc (process ${lock.holderPid}) uses ${folder.dir}. Stop it or choose another state folder.`,
    )
  }
  try {
    const secrets = await loadSecrets(folder)
    const orc = await launch(options, folder, secrets)
    void orc.exited.then(lock.release)
    return orc
  } catch (error) {
    lock.release()
    throw error
  }
}

async function launch(options: OrcOptions, folder: StateFolder, secrets: OrcSecrets): Promise<RunningOrc> {
  const {
    host = '127.0.0.1',
    port = 8787,
    tls,
    publicNames = [],
    isPrivate = false,
    outbound = PUBLIC_ADDRESSES,
    vars = {},
    onLoginCode = () => undefined,
    log = () => undefined,
    stopGraceMs = STOP_GRACE_MS,
  } = options
  const artefacts: Artefacts = {
    workerScript: options.workerScript ?? builtArtefacts.workerScript,
    databaseScript: options.databaseScript ?? builtArtefacts.databaseScript,
    migrationsDir: options.migrationsDir ?? builtArtefacts.migrationsDir,
  }
  await requireArtefacts(artefacts)
  const binary = await workerdBinary()
  const address = { host, port }
  await requireFreeAddress(address)
  const certificate = tls === undefined ? undefined : await serverCertificate(tls, folder, host)
  const environment = { ...givenSecrets(options.secrets ?? {}), ...secrets }
  const allowedHosts = ownHosts({ listen: address, certificate, publicNames })
  const config = workerdConfig({
    configDir: folder.dir,
    storageDir: folder.storageDir,
    address: formatAddress(address),
    workerScript: artefacts.workerScript,
    databaseScript: artefacts.databaseScript,
    certificate,
    outbound: isPrivate ? [] : outbound,
    vars: { ...DEFAULT_VARS, ALLOWED_HOSTS: allowedHosts, ...vars, ...(isPrivate ? PRIVATE_VARS : {}) },
    secretNames: Object.keys(environment),
    migrations: await readMigrations(artefacts.migrationsDir),
  })
  await writePrivateFile(folder.configFile, config)
  const { child, exited, ports } = await startWorkerd({
    binary,
    configFile: folder.configFile,
    environment,
    sockets: [ORC_SOCKET, CONTROL_SOCKET],
    log,
    onLoginCode,
  })
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  const listening = { host, port: ports.get(ORC_SOCKET) ?? port }
  const url = localUrl(listening, certificate === undefined ? 'http' : 'https')
  const controlPort = ports.get(CONTROL_SOCKET) ?? 0
  try {
    noteProcess(folder, child.pid ?? 0)
    void exited.then(() => forgetProcess(folder))
    await requireMigrated(controlPort)
    await requireHealthy(url, certificate?.pin)
  } catch (error) {
    await kill()
    throw error
  }
  return {
    url,
    port: listening.port,
    certificate,
    pid: child.pid ?? 0,
    setupToken: secrets.SETUP_TOKEN,
    rowsWritten: () => readRowsWritten(controlPort),
    exited,
    stop: async () => void (await stopChild(child, exited, stopGraceMs)),
    kill,
  }
}

/** Nothing but the known names reaches workerd's environment. */
function givenSecrets(secrets: OptionalSecrets): Record<string, string> {
  const given: Record<string, string> = {}
  for (const name of OPTIONAL_SECRET_NAMES) {
    const secret = secrets[name]
    if (secret !== undefined && secret !== '') given[name] = secret
  }
  return given
}
