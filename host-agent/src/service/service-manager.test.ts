import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { serviceManager, type ServiceManager } from './service-manager.ts'
import { servicePlan } from './service-plan.ts'

const plan = servicePlan('/home/ada/state', '/usr/bin/node', '/opt/cli.js')
const ownPath = process.env['PATH']

let folder: string
let manager: ServiceManager
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-service-'))
  manager = serviceManager('linux', { XDG_CONFIG_HOME: join(folder, 'config') })
  process.env['PATH'] = `${folder}:${ownPath}`
})
afterEach(async () => {
  process.env['PATH'] = ownPath
  await rm(folder, { recursive: true, force: true })
})

/** Puts a program in place of the system's own, which notes how it is called. */
async function standIn(program: string, script: string): Promise<void> {
  const path = join(folder, program)
  await writeFile(path, `#!/bin/sh\necho "${program} $*" >> ${join(folder, 'calls')}\n${script}\n`)
  await chmod(path, 0o755)
}

async function calls(): Promise<string[]> {
  const text = await readFile(join(folder, 'calls'), 'utf8')
  return text.trimEnd().split('\n')
}

describe('systemd', () => {
  test('installs a unit, starts it, and says what it did', async () => {
    await standIn('systemctl', 'exit 0')
    await standIn('loginctl', 'echo no')
    const done = await manager.install(plan)
    expect(await readFile(manager.place, 'utf8')).toBe(manager.text(plan))
    expect(manager.place).toBe(join(folder, 'config/systemd/user/daisi-host.service'))
    expect(await calls()).toEqual([
      'systemctl --user show-environment',
      'systemctl --user daemon-reload',
      'systemctl --user enable daisi-host.service',
      'systemctl --user restart daisi-host.service',
      expect.stringMatching(/^loginctl show-user /),
    ])
    expect(done.join('\n')).toMatch(/enable-linger/)
    expect(await manager.state()).toMatchObject({ installed: true, running: true })
    expect((await manager.uninstall()).join('\n')).toContain(manager.place)
    await expect(stat(manager.place)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await manager.uninstall()).toEqual([])
  })

  test('refuses where no manager of services runs, and leaves nothing behind', async () => {
    await standIn('systemctl', 'echo "Failed to connect to bus: No medium found" >&2; exit 1')
    await expect(manager.install(plan)).rejects.toMatchObject({ code: 'service_unavailable', exitCode: 12 })
    await expect(stat(manager.place)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await manager.state()).toMatchObject({ installed: false, running: false })
  })

  test('refuses where there is no systemd at all', async () => {
    process.env['PATH'] = folder
    await expect(manager.install(plan)).rejects.toMatchObject({ code: 'service_unavailable' })
  })

  test('tells when systemd declines the unit', async () => {
    await standIn('systemctl', 'case "$2" in enable) echo "Unit is masked." >&2; exit 1;; esac')
    await expect(manager.install(plan)).rejects.toMatchObject({ code: 'service_failed', exitCode: 12 })
  })
})

test('an unknown system is refused, with what to do instead', () => {
  expect(() => serviceManager('sunos')).toThrow(expect.objectContaining({ code: 'service_unavailable' }))
})
