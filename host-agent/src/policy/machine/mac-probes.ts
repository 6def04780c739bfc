import type { GpuReading, MachineProbes, Reading } from './probe.ts'
import { toolOutput } from './tool-output.ts'
import { unknownGpu, unknownInput, unknownPower } from './unknown.ts'

/** What macOS tells through its own tools. */
export const macProbes: MachineProbes = {
  async input(signal): Promise<Reading<number>> {
    const value = parseHidIdleTime(
      (await toolOutput('ioreg', ['-r', '-d', '1', '-c', 'IOHIDSystem'], signal)) ?? '',
    )
    return value === undefined ? unknownInput() : { value }
  },
  async power(signal): Promise<Reading<boolean>> {
    const value = parsePowerSource((await toolOutput('pmset', ['-g', 'batt'], signal)) ?? '')
    return value === undefined ? unknownPower() : { value }
  },
  async gpu(working: boolean, signal): Promise<GpuReading> {
    const text = await toolOutput('ioreg', ['-r', '-d', '1', '-c', 'IOAccelerator'], signal)
    const value = parseDeviceUtilization(text ?? '')
    if (value === undefined) return unknownGpu()
    return working ? 'unattributed' : { value }
  },
  close() {},
}

/** `"HIDIdleTime" = 1234567890`, in nanoseconds. */
export function parseHidIdleTime(text: string): number | undefined {
  const times = [...text.matchAll(/"HIDIdleTime"\s*=\s*(\d+)/g)].map(([, time]) => Number(time) / 1_000_000)
  return times.length === 0 ? undefined : Math.min(...times)
}

/** `Now drawing from 'AC Power'`. */
export function parsePowerSource(text: string): boolean | undefined {
  const source = /drawing from '([^']+)'/.exec(text)?.[1]
  return source === undefined ? undefined : source === 'AC Power'
}

/** `"Device Utilization %"=12`, the highest of all GPUs. */
export function parseDeviceUtilization(text: string): number | undefined {
  const percents = [...text.matchAll(/"Device Utilization %"\s*=\s*(\d+)/g)].map(([, percent]) =>
    Number(percent),
  )
  return percents.length === 0 ? undefined : Math.max(...percents)
}
