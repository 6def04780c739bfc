import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogger } from './log.ts'
import { LogFile, logPaths } from './log-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-log-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const path = (): string => logPaths(folder)[0] ?? ''

test('the log is JSON on disk, whatever stderr shows, and only its owner can read it', async () => {
  const file = new LogFile(folder)
  createLogger('silent', 'human', file).info('not shown')
  const logger = createLogger('info', 'human', file)
  logger.level = 'error'
  logger.error({ event: 'x' }, 'broken')
  await file.close()
  const lines = (await readFile(path(), 'utf8')).trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ event: 'x', msg: 'broken' }])
  expect((await stat(path())).mode & 0o777).toBe(0o600)
  expect((await stat(join(folder, 'logs'))).mode & 0o777).toBe(0o700)
})

test('it is put aside by size, and the oldest is forgotten', async () => {
  for (let index = 0; index < 8; index += 1) {
    // As after a restart, whose log goes on in the file that is there.
    const file = new LogFile(folder, { largestBytes: 20, files: 3 })
    file.write(`line ${index}\n`)
    await file.close()
  }
  const texts = await Promise.all(logPaths(folder).map((each) => readFile(each, 'utf8')))
  expect(texts).toEqual(['line 6\nline 7\n', 'line 4\nline 5\n', 'line 2\nline 3\n'])
  expect(await readdir(join(folder, 'logs'))).toHaveLength(3)
})

test('a full disk drops lines, ends nothing, and is told about when there is room again', async () => {
  await mkdir(join(folder, 'logs'))
  // Each write to it fails with ENOSPC.
  await symlink('/dev/full', path())
  const file = new LogFile(folder)
  file.write('lost\n')
  await file.close()
  await rm(path())
  file.write('kept\n')
  await file.close()
  const [torn, told, kept] = (await readFile(path(), 'utf8')).split('\n')
  expect(torn).toBe('')
  expect(JSON.parse(told ?? '')).toMatchObject({ level: 40, event: 'log-dropped', lines: 1 })
  expect(kept).toBe('kept')
})

test('what waits for a slow disk is bounded', async () => {
  const file = new LogFile(folder)
  const line = `${'x'.repeat(99_999)}\n`
  for (let index = 0; index < 30; index += 1) file.write(line)
  await file.close()
  file.write('after\n')
  await file.close()
  const lines = (await readFile(path(), 'utf8')).trimEnd().split('\n')
  expect(lines.filter((each) => each.startsWith('x')).length).toBeLessThan(20)
  expect(lines.filter((each) => each.includes('"event":"log-dropped"'))).toHaveLength(1)
  expect(lines.at(-1)).toBe('after')
})

test('a folder that cannot be made is no reason to stop', async () => {
  await writeFile(join(folder, 'logs'), '')
  await chmod(folder, 0o500)
  const file = new LogFile(folder)
  file.write('lost\n')
  await file.close()
  await chmod(folder, 0o700)
})

test('the last line before an exit is written', async () => {
  const program = `
    const { LogFile } = await import(${JSON.stringify(join(import.meta.dirname, 'log-file.ts'))})
    new LogFile(${JSON.stringify(folder)}).write('why it ended\\n')
    process.exit(4)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' })
  expect((await once(child, 'exit'))[0]).toBe(4)
  expect(await readFile(path(), 'utf8')).toBe('why it ended\n')
})
