import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ServiceManager } from '../service/service-manager.ts'
import { systemdUnit } from '../service/systemd-unit.ts'
import { RecordedOutput } from '../testing/recorded-output.ts'
import { serviceCommand } from './service.ts'

/** A system without services of its own. */
class NotedService implements ServiceManager {
  readonly place = '/units/daisi-host.service'
  readonly text = systemdUnit
  installed = false

  async install(): Promise<readonly string[]> {
    this.installed = true
    return ['Wrote it']
  }

  async uninstall(): Promise<readonly string[]> {
    const done = this.installed ? ['Removed it'] : []
    this.installed = false
    return done
  }

  async state() {
    return { installed: this.installed, running: this.installed, detail: 'active' }
  }
}

test('service installs, tells, prints and removes', async () => {
  const manager = new NotedService()
  const folder = await mkdtemp(join(tmpdir(), 'daisi service-'))
  const state = join(folder, 'state')
  const run = async (...args: string[]): Promise<RecordedOutput> => {
    const output = new RecordedOutput()
    await serviceCommand(output, () => manager).parseAsync(args, { from: 'user' })
    return output
  }
  expect((await run('install', '--print', '--state', state)).written).toContain(`"run" "--state" "${state}"`)
  expect(manager.installed).toBe(false)
  expect(await run('status')).toMatchObject({ written: 'not installed\n', exitCode: 10 })
  const installed = (await run('install', '--state', state)).written
  expect((await stat(state)).mode & 0o777).toBe(0o700)
  expect(installed).toContain('No Orc is configured')
  expect(installed).toContain('Wrote it\n')
  expect(installed).toContain('daisi-host logs --follow')
  expect(await run('status')).toMatchObject({ written: '/units/daisi-host.service: active\n', exitCode: 0 })
  expect((await run('uninstall')).written).toBe('Removed it\n')
  expect((await run('uninstall')).written).toContain('no service')
  await rm(folder, { recursive: true })
})
