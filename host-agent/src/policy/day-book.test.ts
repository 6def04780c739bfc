import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { DayBook } from './day-book.ts'

const evening = new Date(2026, 5, 3, 23, 30).getTime()
const nothing = { tokensForOthers: 0, ownTokens: 0, jobs: 0, failedJobs: 0 }
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-day-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('what was counted outlives a restart, but not midnight', async () => {
  const book = await DayBook.open(folder, new ManualClock(evening))
  book.add({ tokensForOthers: 100, jobs: 1 })
  book.add({ ownTokens: 7, jobs: 1, failedJobs: 1 })
  const counts = { tokensForOthers: 100, ownTokens: 7, jobs: 2, failedJobs: 1 }
  expect(book.today).toEqual(counts)
  await book.flush()

  const clock = new ManualClock(evening + 60_000)
  const again = await DayBook.open(folder, clock)
  expect(again.today).toEqual(counts)
  clock.advance(30 * 60_000)
  expect(again.today).toEqual(nothing)
  again.add({ jobs: 1 })
  expect(again.today).toEqual({ ...nothing, jobs: 1 })
})

test('counts of seconds are one write', async () => {
  const clock = new ManualClock(evening)
  const book = await DayBook.open(folder, clock)
  const path = join(folder, 'today.json')
  for (let second = 0; second < 4; second++) {
    book.add({ tokensForOthers: 1 })
    clock.advance(1_000)
  }
  await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' })
  clock.advance(1_000)
  await book.flush()
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    ...nothing,
    day: '2026-06-03',
    tokensForOthers: 4,
  })
  await rm(path)
  await book.flush()
  await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a disk that takes nothing is a problem, and no end', async () => {
  const book = await DayBook.open(folder, new ManualClock(evening))
  await rm(folder, { recursive: true })
  await writeFile(folder, 'in the way')
  book.add({ jobs: 1 })
  await book.flush()
  expect(book.problem).toMatchObject({ code: 'day_not_saved' })
  await rm(folder)
  book.add({ jobs: 1 })
  await book.flush()
  expect(book.problem).toBeUndefined()
  expect((await DayBook.open(folder, new ManualClock(evening))).today).toEqual({ ...nothing, jobs: 2 })
})

test('a broken file is an error', async () => {
  await writeFile(join(folder, 'today.json'), '{"day":"2026-06-03","jobs":-1}')
  await expect(DayBook.open(folder, new ManualClock(evening))).rejects.toMatchObject({
    code: 'state_unusable',
  })
})
