import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { runTool, type ToolResult } from '../run-tool.ts'
import type { ServiceManager, ServiceState } from './service-manager.ts'
import { SERVICE_NAME, type ServicePlan } from './service-plan.ts'
import { systemdUnit } from './systemd-unit.ts'
import { toolFailed } from './tool-failed.ts'

const UNIT = `${SERVICE_NAME}.service`

/** systemd's manager of one user's services. */
export class SystemdService implements ServiceManager {
  readonly place: string

  constructor(environment: Readonly<NodeJS.ProcessEnv>) {
    const config = environment['XDG_CONFIG_HOME'] || join(homedir(), '.config')
    this.place = join(config, 'systemd', 'user', UNIT)
  }

  text(plan: ServicePlan): string {
    return systemdUnit(plan)
  }

  async install(plan: ServicePlan): Promise<readonly string[]> {
    await this.#requireManager()
    await mkdir(dirname(this.place), { recursive: true })
    await writeFile(this.place, this.text(plan))
    await systemctl('daemon-reload')
    await systemctl('enable', UNIT)
    await systemctl('restart', UNIT)
    return [
      `Wrote ${this.place}`,
      `Ran systemctl --user daemon-reload, enable ${UNIT}, restart ${UNIT}`,
      ...(await lingerHints()),
    ]
  }

  async uninstall(): Promise<readonly string[]> {
    if (!(await this.#isInstalled())) return []
    // Without a manager nothing runs, and the file can go all the same.
    const stopped = await runTool('systemctl', ['--user', 'disable', '--now', UNIT])
    await rm(this.place, { force: true })
    await runTool('systemctl', ['--user', 'daemon-reload'])
    const done = stopped.code === 0 ? [`Ran systemctl --user disable --now ${UNIT}`] : []
    return [...done, `Removed ${this.place}`]
  }

  async state(): Promise<ServiceState> {
    const { code, output, problem } = await runTool('systemctl', ['--user', 'is-active', UNIT])
    const detail = output.trim() || problem
    return { installed: await this.#isInstalled(), running: code === 0, detail }
  }

  #isInstalled(): Promise<boolean> {
    return access(this.place).then(
      () => true,
      () => false,
    )
  }

  async #requireManager(): Promise<void> {
    const { code, problem } = await runTool('systemctl', ['--user', 'show-environment'])
    if (code === 0) return
    const message = `systemd does not manage this user's services here (${problem.split('\n', 1)[0] ?? ''}), as in most containers; let the container restart daisi-host run, or log in as this user without su or sudo; daisi-host service install --print shows the unit`
    throw new FatalError(ExitCode.Failed, 'service_unavailable', message)
  }
}

async function systemctl(...args: readonly string[]): Promise<ToolResult> {
  const result = await runTool('systemctl', ['--user', ...args])
  if (result.code !== 0) throw toolFailed(`systemctl --user ${args.join(' ')}`, result)
  return result
}

/** A user's manager ends with their last session, unless they linger. */
async function lingerHints(): Promise<readonly string[]> {
  const { username } = userInfo()
  const { code, output } = await runTool('loginctl', ['show-user', username, '--property=Linger', '--value'])
  if (code === 0 && output.trim() === 'yes') return ['It starts with this machine']
  return [
    `It runs while you are logged in; to have it run from the machine's start on: loginctl enable-linger ${username}`,
  ]
}
