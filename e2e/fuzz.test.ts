import { expect, test } from 'vitest'
import { SEEDED_ROUTES } from '../fuzz/support/body-seeds.ts'
import { faultsOf } from '../fuzz/support/http-oracle.ts'
import type { RawAnswer } from '../fuzz/support/raw-http.ts'
import { PROMPT_MARK, SecretWatch } from '../fuzz/support/secret-watch.ts'
import { AREAS, runFuzz } from '../fuzz/support/run.ts'
import { routes } from '../orc-worker/src/routes/table.ts'

// `npm run fuzz` does the same for longer.
const COUNT = 2_000
const SEED = 20_260_701

test('neither Orc nor Host gives way, or anything away, whatever is sent to them', async () => {
  const { tally } = await runFuzz({
    seed: SEED,
    count: COUNT,
    areas: AREAS,
    only: undefined,
    progress: () => undefined,
  })
  expect(tally.findings).toEqual([])
  expect(tally.inputs).toBe(COUNT)
  expect([...tally.areas.keys()]).toEqual(AREAS)
})

test('every body of the fuzzer belongs to a route that there is', () => {
  const names = routes.map(({ method, path }) => `${method} ${path}`)
  expect(SEEDED_ROUTES.filter((name) => !names.includes(name))).toEqual([])
})

const SECRET = `daisi_sk_${'x'.repeat(54)}`

function answer(status: number, error: unknown): RawAnswer {
  const headers = new Map([['x-request-id', 'req_1']])
  return { status, headers, body: Buffer.from(JSON.stringify({ error })) }
}

test.each([
  ['nothing', undefined, 1],
  ['an error of ours', answer(404, { code: 'not_found', message: 'm', type: 't', param: null }), 0],
  ['a fault of ours', answer(500, { code: 'internal_error', message: 'm', type: 't', param: null }), 1],
  ['an error of no known code', answer(400, { code: 'other', message: 'm', type: 't', param: null }), 1],
  ['a code with another status', answer(400, { code: 'not_found', message: 'm', type: 't', param: null }), 1],
  ['somebody’s key', answer(404, { code: 'not_found', message: SECRET, type: 't', param: null }), 1],
])('the fuzzer sees what is wrong with %s', (_, answer, faults) => {
  const watch = new SecretWatch()
  watch.add(SECRET)
  const input = { method: 'GET', target: '/v1/models', headers: [], body: Buffer.alloc(0), malformed: false }
  const exchange =
    answer === undefined
      ? ({ kind: 'silent', received: '' } as const)
      : ({ kind: 'answered', answer, ms: 1 } as const)
  expect(faultsOf(input, exchange, watch)).toHaveLength(faults)
})

test('the fuzzer sees credentials and prompts in logs, those that it never met too', () => {
  const watch = new SecretWatch()
  expect(watch.inLog(`{"event":"x","key":"${SECRET}"}`)).toHaveLength(1)
  expect(watch.inLog(`{"event":"x","said":"${PROMPT_MARK}"}`)).toHaveLength(1)
  expect(watch.inLog('{"event":"x","keyId":"key_1"}')).toEqual([])
})
