import { pino } from 'pino'
import { expect, test } from 'vitest'
import { ActivityFeed } from './activity-feed.ts'
import { activityOfJob } from './activity-of-job.ts'

test('events of the log become lines, with what they are about and nothing else', () => {
  const feed = new ActivityFeed(() => 7)
  const heard: string[] = []
  const stop = feed.listen(({ text }) => heard.push(text))
  const logger = pino({ level: 'debug' }, feed)
  logger.info({ event: 'online', orc: 'https://orc.example', alias: 'a' }, 'online')
  logger.debug({ jobId: 'job_1' }, 'job')
  logger.error({ event: 'model-failed', model: 'm', err: new Error('secret') }, 'a model could not be loaded')
  stop()
  logger.info({ event: 'draining' }, 'finishing')
  expect(heard).toEqual(['online · https://orc.example', 'a model could not be loaded · m'])
  expect(feed.recent.map(({ at, kind }) => [at, kind])).toEqual([
    [7, 'connection'],
    [7, 'problem'],
    [7, 'owner'],
  ])
})

test('it remembers the last ones only', () => {
  const feed = new ActivityFeed(() => 0)
  for (let index = 0; index < 500; index++) feed.note('job', String(index))
  expect(feed.recent).toHaveLength(200)
  expect(feed.recent.at(-1)?.text).toBe('499')
})

test('a job in one line', () => {
  const usage = { promptTokens: 12, cachedTokens: 4, generatedTokens: 40 }
  const job = { model: 'm', kind: 'chat', own: true, outcome: 'cancelled', usage, durationMs: 1_234 } as const
  expect(activityOfJob(job)).toBe('chat for you with m cancelled: 12 (4 cached) + 40 tokens in 1.2 s')
})
