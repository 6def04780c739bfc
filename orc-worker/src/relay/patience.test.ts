import { expect, test } from 'vitest'
import { Patience } from './patience.ts'

test('[G4] who leaves waits no longer, and who does not want to wait does not', async () => {
  const gone = new AbortController()
  const patience = new Patience(60_000, gone.signal)
  const pause = patience.pause()
  gone.abort()
  expect(await pause).toBe(false)
  expect(await patience.pause()).toBe(false)
  expect(await new Patience(0, new AbortController().signal).pause()).toBe(false)
})

test('[G4] the last look comes when the time is over', async () => {
  const startedAt = Date.now()
  const patience = new Patience(20, new AbortController().signal)
  expect(await patience.pause()).toBe(true)
  expect(await patience.pause()).toBe(false)
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(20)
})
