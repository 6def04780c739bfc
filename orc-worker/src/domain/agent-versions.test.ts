import { expect, test } from 'vitest'
import { isTooOld, parseAgentVersions, updateAdvice } from './agent-versions.ts'

const versions = { minimum: '1.10.0', latest: '2.0.0' }

test.for([
  ['daisi-host', '1.10.0', false],
  ['daisi-host', '1.10.1-rc.1', false],
  ['daisi-host', '3.0.0', false],
  ['daisi-host', '1.9.9', true],
  ['daisi-host', '1.10.0-rc.1', true],
  ['daisi-host', '2', true],
  ['daisi-host', 'newest', true],
  ['daisi-host', '', true],
  ['another-agent', '0', false],
] as const)('[H13] %s %s is too old: %s', ([name, version, expected]) => {
  expect(isTooOld({ name, version }, versions)).toBe(expected)
})

test('[H13] the advice fits into the reason of a close, whatever the version says', () => {
  for (const version of ['0.1.0', '', 'ä'.repeat(64), `1.0.0-${'x'.repeat(50)}`]) {
    const advice = updateAdvice(version, { minimum: `1.0.0-${'y'.repeat(18)}`, latest: '2.0.0' })
    expect(new TextEncoder().encode(advice).length).toBeLessThanOrEqual(123)
    expect(advice).toContain('npx daisi-host@latest')
  }
})

test('what is no version, or a minimum above the latest, is told by its name', () => {
  expect(parseAgentVersions('0.1.0', '0.2.0')).toEqual({ minimum: '0.1.0', latest: '0.2.0' })
  expect(() => parseAgentVersions('', '0.2.0')).toThrow('HOST_AGENT_MINIMUM')
  expect(() => parseAgentVersions('0.1.0', '0.2')).toThrow('HOST_AGENT_LATEST')
  expect(() => parseAgentVersions('0.1.0', `1.0.0-${'x'.repeat(30)}`)).toThrow('HOST_AGENT_LATEST')
  expect(() => parseAgentVersions('0.3.0', '0.2.0')).toThrow('HOST_AGENT_MINIMUM')
})
