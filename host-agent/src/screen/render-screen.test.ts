import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { AgentStatus } from '../control/agent-status.ts'
import { BUSY_STATUS } from '../testing/agent-status.ts'
import { renderScreen } from './render-screen.ts'

const activities = [{ at: 0, kind: 'job', text: 'chat with daisi-nano: 12 + 40 tokens in 0.1 s' }] as const

function render(
  status: AgentStatus = BUSY_STATUS,
  size = { columns: 80, rows: 24 },
  colors = false,
): string[] {
  return renderScreen({ status, activities, notice: undefined, colors }, size)
}

describe('the screen', () => {
  test('shows connection, models, slots, speed, credits and what happens', () => {
    const text = render().join('\n')
    for (const part of [
      'quiet-fox',
      '● at work',
      'https://orc.example · connected · public',
      'daisi-nano · loaded · 813 tokens/s · 1 running',
      'loading ████████░░░░░░░░░░░░ 40 %',
      '■□□□ 1 of 4 busy · 2 waiting',
      '41.5 tokens/s',
      '12 jobs · 3,456 credits · 7 tokens of your own · 1 failed',
      'chat with daisi-nano: 12 + 40 tokens in 0.1 s',
      'p pause   d drain   q quit',
    ])
      expect(text).toContain(part)
  })

  test.each([
    [80, 24],
    [40, 12],
    [200, 60],
    [10, 3],
    [1, 1],
  ])('fits %i × %i, with colours and without', (columns, rows) => {
    for (const colors of [true, false]) {
      const lines = render(BUSY_STATUS, { columns, rows }, colors)
      expect(lines).toHaveLength(rows)
      for (const line of lines)
        expect(Array.from(stripVTControlCharacters(line)).length).toBeLessThanOrEqual(columns)
    }
  })

  test('says why it takes no work, and what p does then', () => {
    const problems = [{ code: 'paused', message: 'paused; to take work again: daisi-host resume' }]
    const text = render({ ...BUSY_STATUS, reason: 'paused', problems }).join('\n')
    expect(text).toContain('‖ takes no work: paused')
    expect(text).toContain('p resume')
  })

  test('what comes from afar cannot steer the terminal', () => {
    const [orc] = BUSY_STATUS.orcs
    const orcs = [{ ...orc!, state: 'waiting' as const, problem: 'gone\u001B[2J\r\nfake' }]
    const lines = render({ ...BUSY_STATUS, orcs })
    expect(lines.join('')).not.toMatch(/\p{Cc}/u)
    expect(lines).toHaveLength(24)
  })
})
