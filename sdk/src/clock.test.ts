import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'

test('sleep ends by itself', async () => {
  const { signal } = new AbortController()
  await systemClock.sleep(1, signal)
  expect(signal.aborted).toBe(false)
})

test('sleep ends when the signal fires, or has fired', async () => {
  const controller = new AbortController()
  const slept = systemClock.sleep(60_000, controller.signal)
  controller.abort()
  await slept
  await systemClock.sleep(60_000, controller.signal)
  expect(controller.signal.aborted).toBe(true)
})
