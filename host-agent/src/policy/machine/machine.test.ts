import { expect, test } from 'vitest'
import { parseIdleTime } from './desktop-idle.ts'
import { judgeMachine, untilKnown } from './judge-machine.ts'
import { LineStream } from './line-stream.ts'
import { judgeLinuxInput, type LinuxInput } from './linux-input.ts'
import { isOnPower } from './linux-power.ts'
import { parseDesktopSessions, parseSessionIds } from './logind-sessions.ts'
import { parseDeviceUtilization, parseHidIdleTime, parsePowerSource } from './mac-probes.ts'
import { machineProbes } from './machine-probes.ts'
import { judgeGpuUse, parseProcesses, parseUtilization } from './nvidia-use.ts'
import { ownProcesses } from './own-processes.ts'
import { toolOutput } from './tool-output.ts'
import { parseWatchLine } from './windows-probes.ts'

const MINUTE_MS = 60_000
const nowMs = 1_700_000_600_000
const rule = { noInputMinutes: 5, onPower: true, gpuBelowPercent: 30 }

test.each([
  [{}, undefined],
  [{ inputIdleMs: 5 * MINUTE_MS, onPower: true, gpuPercent: 29 }, undefined],
  [{ inputIdleMs: 5 * MINUTE_MS - 1, onPower: false, gpuPercent: 30 }, 'in_use'],
  [{ inputIdleMs: 5 * MINUTE_MS, onPower: false, gpuPercent: 30 }, 'on_battery'],
  [{ inputIdleMs: 5 * MINUTE_MS, onPower: true, gpuPercent: 30 }, 'gpu_busy'],
])('%j is %s', (facts, reason) => {
  expect(judgeMachine(rule, facts)).toBe(reason)
})

test('until it was looked at, a machine is busy with the first thing that is asked for', () => {
  expect(untilKnown(rule)).toBe('in_use')
  expect(untilKnown({ ...rule, noInputMinutes: 0 })).toBe('on_battery')
  expect(untilKnown({ ...rule, noInputMinutes: 0, onPower: false })).toBe('gpu_busy')
  expect(untilKnown({ noInputMinutes: 0, onPower: false, gpuBelowPercent: 100 })).toBeUndefined()
})

test('sessions of logind: ids, and the desktops that are shown', () => {
  const list = '      2 1000 ada  seat0 tty2  active no   -\n     c5  120 gdm  seat0 tty1 \n'
  expect(parseSessionIds(list)).toEqual(['2', 'c5'])
  expect(parseSessionIds('')).toEqual([])
  const shown = `User=1000
Type=wayland
Class=user
State=active
IdleHint=yes
IdleSinceHint=1700000000000000
LockedHint=no

User=120
Type=wayland
Class=greeter
State=online
IdleHint=no
IdleSinceHint=0
LockedHint=no

User=1001
Type=tty
Class=user
State=active
IdleHint=no
IdleSinceHint=1700000000000000
LockedHint=no

User=1002
Type=x11
Class=user
State=online
IdleHint=no
IdleSinceHint=0
LockedHint=yes
`
  expect(parseDesktopSessions(shown)).toEqual([
    { userId: 1000, idle: true, sinceMs: 1_700_000_000_000, locked: false },
  ])
  expect(parseDesktopSessions('')).toEqual([])
})

test.each([
  ['t 125000\n', 125_000],
  ['u 7\n', 7],
  ['4521\n', 4_521],
  ['Call failed: not supported', undefined],
  ['', undefined],
])('idle time %j', (text, idleMs) => {
  expect(parseIdleTime(text)).toBe(idleMs)
})

const nobody: LinuxInput = {
  desktopMs: undefined,
  sessions: [],
  terminalMs: undefined,
  hasDisplay: false,
  ownUserId: 1000,
  nowMs,
}
const mine = { userId: 1000, idle: false, sinceMs: 0, locked: false }
const tenMinutesAgo = nowMs - 10 * MINUTE_MS

test.each<[string, Partial<LinuxInput>, number | undefined, string | undefined]>([
  ['nothing to see', {}, undefined, 'input_unknown'],
  ['a terminal', { terminalMs: 5 }, 5, undefined],
  [
    'a terminal on a desktop that tells nothing',
    { terminalMs: 5, hasDisplay: true },
    undefined,
    'input_unknown',
  ],
  ['the later of two', { terminalMs: 9, desktopMs: 5 }, 5, undefined],
  ['its own answer goes before its hint', { desktopMs: 70, sessions: [mine] }, 70, undefined],
  [
    'not before that of another person',
    { desktopMs: 70, sessions: [{ ...mine, userId: 7, sinceMs: 1 }] },
    0,
    undefined,
  ],
  [
    'a hint alone',
    { sessions: [{ ...mine, idle: true, sinceMs: tenMinutesAgo }] },
    10 * MINUTE_MS,
    undefined,
  ],
  ['a hint that is not given', { sessions: [{ ...mine, sinceMs: tenMinutesAgo }] }, 0, undefined],
  ['a hint that was never given', { sessions: [mine], terminalMs: 9 }, 0, 'desktop_never_idle'],
  [
    'a locked screen',
    { sessions: [{ ...mine, locked: true }], terminalMs: 9, hasDisplay: true },
    9,
    undefined,
  ],
  ['a clock put back', { sessions: [{ ...mine, idle: true, sinceMs: nowMs + 1 }] }, 0, undefined],
])('input under Linux: %s', (_, input, value, code) => {
  const reading = judgeLinuxInput({ ...nobody, ...input })
  expect(reading.value).toBe(value)
  expect(reading.problem?.code).toBe(code)
})

test.each([
  ['no supplies: a desktop machine', [], true],
  [
    'a charger',
    [
      { type: 'Mains', online: '1' },
      { type: 'Battery', status: 'Charging' },
    ],
    true,
  ],
  [
    'no charger',
    [
      { type: 'Mains', online: '0' },
      { type: 'Battery', status: 'Discharging' },
    ],
    false,
  ],
  [
    'a charger at USB',
    [
      { type: 'USB', online: '1' },
      { type: 'Battery', status: 'Discharging' },
    ],
    true,
  ],
  ['a full battery, nothing else told', [{ type: 'Battery', status: 'Full' }], true],
  ['the battery of a mouse', [{ type: 'Battery', status: 'Discharging', scope: 'Device' }], true],
])('power under Linux: %s', (_, supplies, onPower) => {
  expect(isOnPower(supplies)).toBe(onPower)
})

test('what the tools of macOS print', () => {
  const hid = '  | |   "HIDPointerAcceleration" = 45056\n  | |   "HIDIdleTime" = 61234567890\n'
  expect(parseHidIdleTime(hid)).toBeCloseTo(61_234.6, 0)
  expect(parseHidIdleTime('')).toBeUndefined()
  expect(parsePowerSource("Now drawing from 'AC Power'\n -InternalBattery-0 (id=1)\t100%; charged")).toBe(
    true,
  )
  expect(parsePowerSource("Now drawing from 'Battery Power'\n")).toBe(false)
  expect(parsePowerSource('')).toBeUndefined()
  const gpu =
    '"PerformanceStatistics" = {"In use system memory"=1,"Device Utilization %"=37,"Tiler Utilization %"=9}'
  expect(parseDeviceUtilization(gpu)).toBe(37)
  expect(parseDeviceUtilization('')).toBeUndefined()
})

test.each([
  ['61000 1', 61_000, true],
  ['0 0\r', 0, false],
  ['5 255', 5, undefined],
  ['? ?', undefined, undefined],
  ['', undefined, undefined],
])('a line of the watch on Windows: %j', (line, idleMs, onPower) => {
  expect(parseWatchLine(line)).toEqual({ idleMs, onPower })
})

const pmon = `# gpu         pid   type     sm    mem    enc    dec    jpg    ofa    command
# Idx           #    C/G      %      %      %      %      %      %    name
    0       4242     C     71     40      -      -      -      -    node
    0       1850     G     12      3      -      -      -      -    Xorg
    1       1851   C+G      5      3      -      -      -      -    game
    2          -     -      -      -      -      -      -      -    -
`
/** Older drivers have fewer columns; those for Windows' desktop tell no numbers. */
const oldPmon =
  '# gpu        pid  type    sm   mem   enc   dec   command\n    0      99     C    98    56     -     -   python3\n'
const silentPmon =
  '# gpu        pid  type    sm   mem   enc   dec   command\n    0      99   C+G     -     -     -     -   game.exe\n'

test('the tables of nvidia-smi', () => {
  expect(parseProcesses(pmon)).toEqual([
    { gpu: 0, pid: 4242, percent: 71 },
    { gpu: 0, pid: 1850, percent: 12 },
    { gpu: 1, pid: 1851, percent: 5 },
  ])
  expect(parseProcesses(oldPmon)).toEqual([{ gpu: 0, pid: 99, percent: 98 }])
  expect(parseProcesses('Not supported on this device')).toEqual([])
  expect(parseUtilization('83\n5\n[N/A]\n')).toEqual([83, 5])
  expect(parseUtilization('NVIDIA-SMI has failed')).toEqual([])
})

test('use of a GPU by others', () => {
  const none = new Set<number>()
  expect(judgeGpuUse([83, 5], parseProcesses(pmon), new Set([4242]), true)).toEqual({ value: 12 })
  expect(judgeGpuUse([83, 5], parseProcesses(pmon), none, false)).toEqual({ value: 83 })
  expect(judgeGpuUse([98], parseProcesses(silentPmon), none, false)).toEqual({ value: 98 })
  expect(judgeGpuUse([98], parseProcesses(silentPmon), none, true)).toBe('unattributed')
  expect(judgeGpuUse([98], [], none, true)).toBe('unattributed')
})

test('a tool that is missing, fails, floods or hangs has nothing to say', async () => {
  const { signal } = new AbortController()
  const node = (script: string, signal: AbortSignal): Promise<string | undefined> =>
    toolOutput(process.execPath, ['-e', script], signal)
  const hanging = new AbortController()
  const hung = node('setInterval(() => {}, 1000)', hanging.signal)
  const answers = await Promise.all([
    node('process.stdout.write(process.env.LC_ALL)', signal),
    toolOutput('daisi-no-such-tool', [], signal),
    node('process.exit(1)', signal),
    node('setInterval(() => process.stdout.write("x".repeat(65536)))', signal),
  ])
  expect(answers).toEqual(['C', undefined, undefined, undefined])
  hanging.abort()
  expect(await hung).toBeUndefined()
})

test('a program that goes on printing lines: the latest, none after its end, none in vain', async () => {
  const { signal } = new AbortController()
  const talking = new LineStream(
    process.execPath,
    ['-e', 'console.log("5 1");setInterval(()=>{},1e3)'],
    60_000,
  )
  expect(await talking.read(signal)).toBe('5 1')
  expect(await talking.read(signal)).toBe('5 1')
  talking.close()
  const missing = new LineStream('daisi-no-such-tool', [], 60_000)
  expect(await missing.read(signal)).toBeUndefined()
  const silent = new LineStream(process.execPath, ['-e', 'setInterval(()=>{},1e3)'], 60_000)
  const abort = new AbortController()
  const read = silent.read(abort.signal)
  abort.abort()
  expect(await read).toBeUndefined()
  silent.close()
})

test('the probes of this machine answer, or say why not', async () => {
  const probes = machineProbes()
  const signal = AbortSignal.timeout(10_000)
  const [input, power, gpu] = await Promise.all([
    probes.input(signal),
    probes.power(signal),
    probes.gpu(false, signal),
  ])
  for (const reading of [input, power, gpu]) {
    if (reading === 'unattributed') throw new Error('nothing of our own runs')
    expect(reading.value !== undefined || reading.problem !== undefined).toBe(true)
  }
  probes.close()
  expect((await machineProbes('aix').power(signal)).problem?.code).toBe('power_unknown')
})

test.runIf(process.platform === 'linux')('children of this process are its own', async () => {
  const hanging = new AbortController()
  const tool = toolOutput(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], hanging.signal)
  const own = await ownProcesses()
  expect(own.has(process.pid)).toBe(true)
  expect(own.size).toBeGreaterThan(1)
  hanging.abort()
  await tool
})
