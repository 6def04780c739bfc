import { readAmdUse } from './amd-use.ts'
import { LinuxInputProbe } from './linux-input.ts'
import { readLinuxPower } from './linux-power.ts'
import { macProbes } from './mac-probes.ts'
import { readNvidiaUse } from './nvidia-use.ts'
import type { MachineProbes } from './probe.ts'
import { unknownGpu, unknownInput, unknownPower } from './unknown.ts'
import { WindowsProbes } from './windows-probes.ts'

/** The probes of this machine. */
export function machineProbes(platform: NodeJS.Platform = process.platform): MachineProbes {
  if (platform === 'linux') return linuxProbes()
  if (platform === 'darwin') return macProbes
  if (platform === 'win32') return new WindowsProbes()
  return {
    input: async () => unknownInput(),
    power: async () => unknownPower(),
    gpu: async () => unknownGpu(),
    close() {},
  }
}

function linuxProbes(): MachineProbes {
  const input = new LinuxInputProbe()
  return {
    input: (signal) => input.read(signal),
    power: () => readLinuxPower(),
    gpu: async (working, signal) =>
      (await readNvidiaUse(working, signal)) ?? (await readAmdUse(working)) ?? unknownGpu(),
    close() {},
  }
}
