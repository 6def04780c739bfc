import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { type HostCommand, startHost } from './host-process.ts'

/** A program in the Host's place. */
async function hostCommand(source: string, lines: string[] = []): Promise<HostCommand> {
  const program = join(await temporaryFolder(), 'host.js')
  await writeFile(program, source)
  return {
    program,
    orcUrl: 'http://127.0.0.1:1',
    modelPath: 'model.gguf',
    stateDir: 'state',
    enrolmentToken: 'daisi_et_x',
    log: (line) => lines.push(line),
  }
}

const record = (fields: object): string =>
  `process.stderr.write(${JSON.stringify(`${JSON.stringify(fields)}\n`)})\n`

test('resolves when the Host is online, and stops it with SIGTERM', async () => {
  const source = `
    ${record({ level: 30, msg: 'loading' })}
    process.on('SIGTERM', () => process.exit(0))
    setInterval(() => undefined, 1000)
    if (process.env.DAISI_ENROLL_TOKEN === 'daisi_et_x' && !process.argv.includes('daisi_et_x')) {
      ${record({ level: 30, event: 'online', msg: 'online' })}
    }`
  const lines: string[] = []
  const host = startHost(await hostCommand(source, lines))
  await host.online
  expect(await host.stop()).toEqual({ code: 0, signal: null })
  expect(lines).toEqual([])
})

test('a Host that ends before it is online fails with its own words', async () => {
  const lines: string[] = []
  const source = `${record({ level: 50, msg: 'the model cannot be read' })}process.exit(4)`
  const host = startHost(await hostCommand(source, lines))
  await expect(host.online).rejects.toMatchObject({
    exitCode: 7,
    message: expect.stringContaining('exit code 4). the model cannot be read'),
  })
  expect(lines).toEqual(['Host: the model cannot be read'])
})

test('what is no log record is passed on', async () => {
  const lines: string[] = []
  const host = startHost(await hostCommand('throw new Error("boom")', lines))
  await expect(host.online).rejects.toMatchObject({ exitCode: 7 })
  expect(lines.join('\n')).toContain('Error: boom')
})
