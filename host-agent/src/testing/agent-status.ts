import type { AgentStatus } from '../control/agent-status.ts'

/** A Host that is at work: one Orc, two models, a job. */
export const BUSY_STATUS: AgentStatus = {
  version: '0.1.0',
  pid: 4242,
  hostId: 'h'.repeat(43),
  startedAt: 1_764_500_000_000,
  orcs: [{ url: 'https://orc.example', state: 'online', alias: 'quiet-fox', networks: ['public'] }],
  models: [
    {
      id: 'daisi-nano',
      state: 'loaded',
      kinds: ['chat'],
      contextLength: 512,
      sizeBytes: 3_000_000,
      from: '/models/daisi-nano.gguf',
      tokensPerSecond: 812.5,
      running: 1,
    },
    { id: 'big', state: 'loading', percent: 40, kinds: ['chat'], contextLength: 4096, from: 'x', running: 0 },
  ],
  slots: { total: 4, free: 3, waiting: 2, queue: 16 },
  today: { jobs: 12, failedJobs: 1, tokensForOthers: 3456, ownTokens: 7 },
  total: { jobs: 12, failedJobs: 1, promptTokens: 1000, cachedTokens: 100, generatedTokens: 2556 },
  tokensPerSecond: 41.5,
  problems: [],
}
