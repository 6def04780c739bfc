import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { logPaths } from '../log-file.ts'
import { RecordedOutput } from '../testing/recorded-output.ts'
import { followLines, lastLines } from './log-reader.ts'
import { logsCommand } from './logs.ts'

let folder: string
let paths: readonly string[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-logs-'))
  paths = logPaths(folder)
  await mkdir(join(folder, 'logs'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const record = (msg: string): string => `${JSON.stringify({ level: 30, time: 0, msg })}\n`

test('the last lines come from as many files as it takes', async () => {
  const long = 'é'.repeat(50_000)
  await writeFile(paths[1]!, `a\nb\n${long}\n`)
  await writeFile(paths[0]!, 'c\nd\n')
  expect(await lastLines(paths, 1)).toEqual(['d'])
  expect(await lastLines(paths, 2)).toEqual(['c', 'd'])
  expect(await lastLines(paths, 4)).toEqual(['b', long, 'c', 'd'])
  expect(await lastLines(paths, 9)).toEqual(['a', 'b', long, 'c', 'd'])
  expect(await lastLines(paths, 0)).toEqual([])
})

test('following goes on when the log is put aside and begun anew', async () => {
  await writeFile(paths[0]!, 'old\n')
  const ended = new AbortController()
  const lines = followLines(paths[0]!, ended.signal)
  const first = lines.next()
  await appendFile(paths[0]!, 'half')
  await appendFile(paths[0]!, ' and half\nnext\n')
  const seen = [(await first).value]
  if (seen[0] === 'half and half') seen.push((await lines.next()).value)
  expect(seen.at(-1)).toBe('next')
  await appendFile(paths[0]!, 'last\n')
  await rename(paths[0]!, paths[1]!)
  await writeFile(paths[0]!, 'new\n')
  expect([(await lines.next()).value, (await lines.next()).value]).toEqual(['last', 'new'])
  const none = lines.next()
  ended.abort()
  expect((await none).done).toBe(true)
})

test('logs shows people short lines, scripts what is on disk, and follows', async () => {
  await writeFile(paths[0]!, `${record('one')}${record('two')}torn\u001B[2J\n`)
  const people = new RecordedOutput()
  await logsCommand(people).parseAsync(['-n', '2', '--state', folder], { from: 'user' })
  expect(people.written).toMatch(/^\d\d:\d\d:\d\d two\ntorn\?\[2J\n$/)
  const scripts = new RecordedOutput()
  const ended = new AbortController()
  scripts.onWrite = () => {
    if (scripts.written.includes('three')) ended.abort()
    else if (scripts.written.includes('torn')) void appendLater()
  }
  async function appendLater(): Promise<void> {
    while (!ended.signal.aborted) {
      await appendFile(paths[0]!, record('three'))
      await new Promise(setImmediate)
    }
  }
  await logsCommand(scripts, ended.signal).parseAsync(['--follow', '--json', '--state', folder], {
    from: 'user',
  })
  expect(scripts.written.startsWith(`${record('one')}${record('two')}torn`)).toBe(true)
})

test('no log yet is told', async () => {
  const command = logsCommand(new RecordedOutput())
  await expect(command.parseAsync(['--state', folder], { from: 'user' })).rejects.toMatchObject({
    code: 'no_log',
    exitCode: 12,
  })
})
