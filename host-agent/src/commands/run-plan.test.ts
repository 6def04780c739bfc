import { describe, expect, test } from 'vitest'
import { agentConfig } from '../state/agent-config.ts'
import { planRun, type RunFlags } from './run-plan.ts'
import { parseBytes } from './run-options.ts'

const PIN = `sha256:${'ab'.repeat(32)}`
const flags: RunFlags = { gpu: true, residence: 30 }
const config = agentConfig.parse({
  orcs: [{ url: 'https://one.example' }, { url: 'https://two.example', pin: PIN }],
  slots: 7,
  contextLength: 1024,
  gpu: true,
  servers: ['ollama'],
  modelsFolder: '/models',
  direct: { listen: '127.0.0.1:8790' },
})
const plan = (more: Partial<RunFlags> = {}) => planRun({ ...flags, ...more }, config, '/state')

describe('a run', () => {
  test('is what the configuration says', () => {
    expect(plan()).toMatchObject({
      orcs: [
        { url: 'https://one.example', pin: undefined, enrolmentToken: undefined },
        { url: 'https://two.example', pin: expect.stringContaining('ab'), enrolmentToken: undefined },
      ],
      direct: { listen: { host: '127.0.0.1', port: 8790 }, protection: 'loopback' },
      models: [],
      servers: ['ollama'],
      modelsFolder: '/models',
      slots: 7,
      queue: 16,
      contextLength: 1024,
      residenceMs: 30_000,
      overrides: {},
    })
  })

  test('the command line goes before it, and overrides settings for this run only', () => {
    const given = plan({
      orc: ['https://three.example'],
      enroll: ['token'],
      model: ['a.gguf', 'hf:u/r:Q4'],
      modelId: ['', 'b'],
      server: ['vllm'],
      slots: 1,
      gpu: false,
      threads: 2,
      memory: 1_000,
      modelsFolder: '/elsewhere',
    })
    expect(given).toMatchObject({
      orcs: [{ url: 'https://three.example', enrolmentToken: 'token' }],
      models: [
        { reference: 'a.gguf', id: undefined },
        { reference: 'hf:u/r:Q4', id: 'b' },
      ],
      servers: ['vllm'],
      slots: 1,
      gpu: false,
      modelsFolder: '/elsewhere',
      overrides: { threads: 2, memoryBytes: 1_000 },
    })
  })

  test('tokens meet the Orcs of the configuration in their order', () => {
    expect(plan({ enroll: ['', 'second'] }).orcs.map(({ enrolmentToken }) => enrolmentToken)).toEqual([
      undefined,
      'second',
    ])
  })

  test.each([
    ['no_orc', () => planRun(flags, agentConfig.parse({}), '/state')],
    ['options_mismatch', () => plan({ model: ['a'], modelId: ['a', 'b'] })],
    [
      'insecure_orc',
      () => planRun(flags, agentConfig.parse({ orcs: [{ url: 'http://orc.example' }] }), '/state'),
    ],
  ])('%s is said before anything is begun', (code, make) => {
    expect(make).toThrow(expect.objectContaining({ code }))
  })

  test('one insecure Orc makes no other one so', () => {
    const mixed = agentConfig.parse({
      orcs: [{ url: 'http://a.example', insecure: true }, { url: 'http://b.example' }],
    })
    expect(() => planRun(flags, mixed, '/state')).toThrow(expect.objectContaining({ code: 'insecure_orc' }))
  })
})

test.each([
  ['800MB', 800 * 1024 ** 2],
  ['1.5 gb', 1.5 * 1024 ** 3],
])('%s is a size', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes)
})
test.each(['12', '0GB', 'MB', '-1GB', '1KB'])('%s is none', (text) => {
  expect(() => parseBytes(text)).toThrow()
})
