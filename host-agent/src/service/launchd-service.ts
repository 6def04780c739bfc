import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { LAUNCHD_LABEL, launchdPlist } from './launchd-plist.ts'
import { runTool } from '../run-tool.ts'
import type { ServiceManager, ServiceState } from './service-manager.ts'
import type { ServicePlan } from './service-plan.ts'
import { toolFailed } from './tool-failed.ts'

/** launchd's agents of one user. */
export class LaunchdService implements ServiceManager {
  readonly place = join(homedir(), 'Library', 'LaunchAgents', `${LAUNCHD_LABEL}.plist`)
  readonly #domain = `gui/${userInfo().uid}`

  text(plan: ServicePlan): string {
    return launchdPlist(plan)
  }

  async install(plan: ServicePlan): Promise<readonly string[]> {
    await mkdir(dirname(this.place), { recursive: true })
    await writeFile(this.place, this.text(plan))
    // An earlier one is taken away first; that there is none is no failure.
    await runTool('launchctl', ['bootout', `${this.#domain}/${LAUNCHD_LABEL}`])
    const args = ['bootstrap', this.#domain, this.place]
    const result = await runTool('launchctl', args)
    if (result.code !== 0) throw toolFailed(`launchctl ${args.join(' ')}`, result)
    return [
      `Wrote ${this.place}`,
      `Ran launchctl ${args.join(' ')}`,
      'It runs while you are logged in, and starts with each log-in',
    ]
  }

  async uninstall(): Promise<readonly string[]> {
    if (!(await this.#isInstalled())) return []
    const stopped = await runTool('launchctl', ['bootout', `${this.#domain}/${LAUNCHD_LABEL}`])
    await rm(this.place, { force: true })
    const done = stopped.code === 0 ? [`Ran launchctl bootout ${this.#domain}/${LAUNCHD_LABEL}`] : []
    return [...done, `Removed ${this.place}`]
  }

  async state(): Promise<ServiceState> {
    const { code, output, problem } = await runTool('launchctl', [
      'print',
      `${this.#domain}/${LAUNCHD_LABEL}`,
    ])
    const detail = /^\s*state = (.*)$/m.exec(output)?.[1] ?? (problem || 'unknown')
    return { installed: await this.#isInstalled(), running: code === 0 && detail === 'running', detail }
  }

  #isInstalled(): Promise<boolean> {
    return access(this.place).then(
      () => true,
      () => false,
    )
  }
}
