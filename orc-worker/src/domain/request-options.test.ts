import type { RequestOptions } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { hostOptions, joinOptions, optionsOfBody, optionsOfHeaders } from './request-options.ts'

const fromHeaders = (headers: Record<string, string>): ReturnType<typeof optionsOfHeaders> =>
  optionsOfHeaders((name) => headers[name])

test('[G1] headers and the body say the same', () => {
  const headers = fromHeaders({
    'Daisi-Network': 'home',
    'Daisi-Host': ' calm-heron-3f9a1c ',
    'Daisi-Exclude-Hosts': 'keen-otter-000001, mild-sage-000002,',
    'Daisi-Wait': '2.5',
    'Daisi-Mode': 'orchestrated',
    'Daisi-Session': 'ses_x',
  })
  const body = {
    network: 'home',
    host: 'calm-heron-3f9a1c',
    exclude_hosts: ['keen-otter-000001', 'mild-sage-000002'],
    wait: 2.5,
    mode: 'orchestrated',
    session: 'ses_x',
  }
  expect(headers).toEqual({ ok: true, options: body })
  expect(optionsOfBody(body)).toEqual(headers)
  expect(hostOptions(body as RequestOptions)).toEqual({
    host: 'calm-heron-3f9a1c',
    excludeHosts: ['keen-otter-000001', 'mild-sage-000002'],
    waitMs: 2_500,
  })
})

test('[G1] nothing said is no wish at all', () => {
  expect(fromHeaders({})).toEqual({ ok: true, options: {} })
  expect(optionsOfBody(null)).toEqual({ ok: true, options: {} })
  expect(hostOptions({})).toEqual({ host: undefined, excludeHosts: [], waitMs: 0 })
})

test.for([
  ['Daisi-Network', 'Not A Network'],
  ['Daisi-Host', ''],
  ['Daisi-Host', 'a host'],
  ['Daisi-Host', 'x'.repeat(65)],
  ['Daisi-Exclude-Hosts', 'calm-heron-3f9a1c; keen-otter-000001'],
  ['Daisi-Exclude-Hosts', Array.from({ length: 17 }, (_, index) => `host-${index}`).join(',')],
  ['Daisi-Wait', '121'],
  ['Daisi-Wait', '-1'],
  ['Daisi-Wait', 'soon'],
  ['Daisi-Wait', '1e1'],
  ['Daisi-Wait', ''],
  ['Daisi-Mode', 'direct'],
  ['Daisi-Session', ''],
] as const)('[G2] %s: "%s" is at fault by name', ([name, value]) => {
  expect(fromHeaders({ [name]: value })).toMatchObject({ ok: false, fault: { param: name } })
})

test.for([
  [{ host: 7 }, 'daisi.host'],
  [{ wait: '5' }, 'daisi.wait'],
  [{ exclude_hosts: 'calm-heron-3f9a1c' }, 'daisi.exclude_hosts'],
  [{ mode: 'direct' }, 'daisi.mode'],
  [{ hosts: ['misspelt'] }, 'daisi'],
  ['calm-heron-3f9a1c', 'daisi'],
] as const)('[G2] in a body %j is at fault by name', ([field, param]) => {
  expect(optionsOfBody(field)).toMatchObject({ ok: false, fault: { param } })
})

test('[G2] what both say must be the same', () => {
  const host = 'calm-heron-3f9a1c'
  expect(joinOptions({ host }, { host, wait: 1 })).toEqual({ ok: true, options: { host, wait: 1 } })
  expect(joinOptions({ host }, { host: 'keen-otter-000001' })).toMatchObject({
    ok: false,
    fault: { param: 'daisi.host' },
  })
})
