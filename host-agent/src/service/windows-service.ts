import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { runTool } from '../run-tool.ts'
import type { ServiceManager, ServiceState } from './service-manager.ts'
import { SERVICE_NAME, type ServicePlan } from './service-plan.ts'
import { toolFailed } from './tool-failed.ts'
import { windowsTask } from './windows-task.ts'

/** Windows' task scheduler. */
export class WindowsService implements ServiceManager {
  readonly place = SERVICE_NAME
  readonly #user: string

  constructor(environment: Readonly<NodeJS.ProcessEnv>) {
    const domain = environment['USERDOMAIN']
    const { username } = userInfo()
    this.#user = domain === undefined ? username : `${domain}\\${username}`
  }

  text(plan: ServicePlan): string {
    return windowsTask(plan, this.#user)
  }

  async install(plan: ServicePlan): Promise<readonly string[]> {
    const folder = await mkdtemp(join(tmpdir(), 'daisi-task-'))
    try {
      const path = join(folder, 'task.xml')
      await writeFile(path, `\uFEFF${this.text(plan)}`, 'utf16le')
      await schtasks('/create', '/tn', this.place, '/xml', path, '/f')
      await schtasks('/run', '/tn', this.place)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    return [
      `Made the task ${this.place} and started it`,
      'It runs while you are logged in, and starts with each log-in',
    ]
  }

  async uninstall(): Promise<readonly string[]> {
    if (!(await this.state()).installed) return []
    await runTool('schtasks', ['/end', '/tn', this.place])
    await schtasks('/delete', '/tn', this.place, '/f')
    return [`Ended and removed the task ${this.place}`]
  }

  async state(): Promise<ServiceState> {
    // Windows tells the state in its own language: 'Running' on an English one only. daisi-host status knows for sure.
    const { code, output, problem } = await runTool('schtasks', [
      '/query',
      '/tn',
      this.place,
      '/fo',
      'csv',
      '/nh',
    ])
    const detail = output.trim().split(',').at(-1)?.replaceAll('"', '') || problem
    return { installed: code === 0, running: detail === 'Running', detail }
  }
}

async function schtasks(...args: readonly string[]): Promise<void> {
  const result = await runTool('schtasks', args)
  if (result.code !== 0) throw toolFailed(`schtasks ${args.join(' ')}`, result)
}
