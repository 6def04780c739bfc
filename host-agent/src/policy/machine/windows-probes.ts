import { LineStream } from './line-stream.ts'
import { readNvidiaUse } from './nvidia-use.ts'
import type { GpuReading, MachineProbes, Reading } from './probe.ts'
import { unknownGpu, unknownInput, unknownPower } from './unknown.ts'

/** Seconds between two lines of the script. */
const EVERY_SECONDS = 5

/** Prints milliseconds without input and the state of mains power (0 off, 1 on). It ends with the agent. */
const SCRIPT = `
Add-Type -TypeDefinition @'
using System;
using System.Runtime.InteropServices;
public static class DaisiWatch {
  [StructLayout(LayoutKind.Sequential)] struct LastInput { public uint Size; public uint Time; }
  [StructLayout(LayoutKind.Sequential)] struct Power { public byte Mains, Flag, Percent, Saver; public int Life, Full; }
  [DllImport("user32.dll")] static extern bool GetLastInputInfo(ref LastInput input);
  [DllImport("kernel32.dll")] static extern bool GetSystemPowerStatus(out Power power);
  public static string Read() {
    LastInput input = new LastInput();
    input.Size = (uint)Marshal.SizeOf(input);
    string idle = GetLastInputInfo(ref input) ? unchecked((uint)Environment.TickCount - input.Time).ToString() : "?";
    Power power;
    string mains = GetSystemPowerStatus(out power) ? power.Mains.ToString() : "?";
    return idle + " " + mains;
  }
}
'@
while (Get-Process -Id ${process.pid} -ErrorAction SilentlyContinue) {
  [Console]::Out.WriteLine([DaisiWatch]::Read())
  Start-Sleep -Seconds ${EVERY_SECONDS}
}
`

/** What Windows tells the session that the agent runs in. One PowerShell stays, since starting it takes a second of work. */
export class WindowsProbes implements MachineProbes {
  readonly #lines = new LineStream(
    'powershell.exe',
    ['-NoProfile', '-NonInteractive', '-EncodedCommand', Buffer.from(SCRIPT, 'utf16le').toString('base64')],
    2 * EVERY_SECONDS * 1000,
  )

  async input(signal: AbortSignal): Promise<Reading<number>> {
    const { idleMs } = parseWatchLine((await this.#lines.read(signal)) ?? '')
    return idleMs === undefined ? unknownInput() : { value: idleMs }
  }

  async power(signal: AbortSignal): Promise<Reading<boolean>> {
    const { onPower } = parseWatchLine((await this.#lines.read(signal)) ?? '')
    return onPower === undefined ? unknownPower() : { value: onPower }
  }

  async gpu(working: boolean, signal: AbortSignal): Promise<GpuReading> {
    return (await readNvidiaUse(working, signal)) ?? unknownGpu()
  }

  close(): void {
    this.#lines.close()
  }
}

/** One line of the script. */
export function parseWatchLine(line: string): {
  readonly idleMs: number | undefined
  readonly onPower: boolean | undefined
} {
  const [, idle, mains] = /^(\d+|\?) (\d+|\?)\s*$/.exec(line) ?? []
  return {
    idleMs: idle === undefined || idle === '?' ? undefined : Number(idle),
    onPower: mains === '1' ? true : mains === '0' ? false : undefined,
  }
}
