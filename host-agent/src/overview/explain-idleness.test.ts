import { expect, test } from 'vitest'
import type { AgentStatus } from '../control/agent-status.ts'
import { explainIdleness } from './explain-idleness.ts'

const orc = { url: 'https://orc.example', state: 'online', networks: ['public'] } as const
const model = { id: 'm', state: 'loaded', kinds: ['chat'], contextLength: 1, from: 'x', running: 0 } as const
const ready: Omit<AgentStatus, 'problems'> = {
  version: '0.1.0',
  pid: 1,
  hostId: 'x',
  startedAt: 0,
  orcs: [{ ...orc, networks: ['public'] }],
  models: [{ ...model, kinds: ['chat'] }],
  slots: { total: 4, free: 4, waiting: 0, queue: 16 },
  today: { jobs: 0, failedJobs: 0, tokensForOthers: 0, ownTokens: 0 },
  total: { jobs: 0, failedJobs: 0, promptTokens: 0, cachedTokens: 0, generatedTokens: 0 },
  tokensPerSecond: 0,
}

test.each([
  ['nobody asks', {}, ['no_demand']],
  ['it works', { slots: { ...ready.slots, free: 3 } }, []],
  ['it worked today', { today: { ...ready.today, jobs: 1 } }, []],
  ['its owner does not want it to', { reason: 'schedule' }, ['schedule']],
  [
    'no Orc is there',
    { orcs: [{ ...orc, state: 'waiting', networks: [], problem: 'refused' }] },
    ['not_connected'],
  ],
  ['no Network is left', { orcs: [{ ...orc, networks: [] }] }, ['no_network']],
  [
    'models are not ready',
    {
      models: [
        { ...model, state: 'failed', kinds: ['chat'] },
        { ...model, id: 'n', state: 'loading', kinds: ['chat'] },
      ],
    },
    ['model_failed', 'model_loading'],
  ],
  [
    'two Orcs know a newer version',
    {
      orcs: [
        { ...orc, networks: ['a'], update: '9.0.0' },
        { ...orc, networks: ['a'], update: '9.0.0' },
      ],
    },
    ['update'],
  ],
] satisfies [string, Partial<AgentStatus>, string[]][])('%s', (_, change, codes) => {
  expect(explainIdleness({ ...ready, ...change }).map(({ code }) => code)).toEqual(codes)
})
