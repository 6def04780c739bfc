import { expect, test } from 'vitest'
import { mayHaveGpu } from './gpu-devices.ts'

test.each([
  ['a machine without one', { '/dev': ['null', 'tty', 'dri'], '/dev/dri': ['card0', 'by-path'] }, false],
  ['NVIDIA', { '/dev': ['nvidia0', 'nvidiactl'] }, true],
  ['a driver without its card', { '/dev': ['nvidiactl'] }, false],
  ['AMD', { '/dev': ['kfd'] }, true],
  ['any that renders', { '/dev': ['dri'], '/dev/dri': ['card0', 'renderD128'] }, true],
  ['WSL', { '/dev': ['dxg'] }, true],
] satisfies [string, Record<string, string[]>, boolean][])(
  '%s',
  (_, devices: Record<string, string[]>, expected) => {
    expect(mayHaveGpu('linux', (folder) => devices[folder] ?? [])).toBe(expected)
  },
)

test('other systems are asked', () => {
  expect(mayHaveGpu('darwin', () => [])).toBe(true)
})
