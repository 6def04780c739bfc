import { ownProcesses } from './own-processes.ts'
import type { GpuReading } from './probe.ts'
import { toolOutput } from './tool-output.ts'

/** A process on a GPU, and how much of it it uses, in percent; undefined where the driver does not say. */
export interface GpuProcess {
  readonly gpu: number
  readonly pid: number
  readonly percent: number | undefined
}

/** Use of NVIDIA's GPUs by others; undefined if there are none or their tool does not answer. */
export async function readNvidiaUse(working: boolean, signal: AbortSignal): Promise<GpuReading | undefined> {
  const query = ['--query-gpu=utilization.gpu', '--format=csv,noheader,nounits']
  const totals = parseUtilization((await toolOutput('nvidia-smi', query, signal)) ?? '')
  if (totals.length === 0) return undefined
  // Nobody can use more of it than all do: where that is little, there is no need to ask who.
  if (Math.max(...totals) === 0) return { value: 0 }
  const processes = parseProcesses(
    (await toolOutput('nvidia-smi', ['pmon', '-c', '1', '-s', 'u'], signal)) ?? '',
  )
  return judgeGpuUse(totals, processes, await ownProcesses(), working)
}

/**
 * The highest use by others over all GPUs. Where the driver does not tell processes apart (within containers, on Windows'
 * desktop), all of it is theirs as long as we do not work.
 */
export function judgeGpuUse(
  totals: readonly number[],
  processes: readonly GpuProcess[],
  own: ReadonlySet<number>,
  working: boolean,
): GpuReading {
  if (!processes.some(({ percent }) => percent !== undefined))
    return working ? 'unattributed' : { value: Math.max(...totals) }
  const others = processes.filter(({ pid }) => !own.has(pid))
  const byGpu = Map.groupBy(others, ({ gpu }) => gpu)
  const sums = [...byGpu.values()].map((group) => group.reduce((sum, { percent }) => sum + (percent ?? 0), 0))
  return { value: Math.min(100, Math.max(0, ...sums)) }
}

/** One percentage a line; lines like `[N/A]` are left out. */
export function parseUtilization(text: string): readonly number[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^\d{1,3}$/.test(line))
    .map(Number)
}

/** The table of `nvidia-smi pmon`: columns by the names in its head, which differ by version. `-` is not known. */
export function parseProcesses(text: string): readonly GpuProcess[] {
  const lines = text.split('\n').map((line) => line.trim())
  const head =
    lines
      .find((line) => /^#\s*gpu\s/.test(line))
      ?.replace(/^#\s*/, '')
      .split(/\s+/) ?? []
  const column = { gpu: head.indexOf('gpu'), pid: head.indexOf('pid'), percent: head.indexOf('sm') }
  if (Object.values(column).includes(-1)) return []
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s+/))
    .map((cells) => ({
      gpu: numberIn(cells[column.gpu]),
      pid: numberIn(cells[column.pid]),
      percent: numberIn(cells[column.percent]),
    }))
    .filter((process): process is GpuProcess => process.gpu !== undefined && process.pid !== undefined)
}

function numberIn(cell: string | undefined): number | undefined {
  return cell !== undefined && /^\d+$/.test(cell) ? Number(cell) : undefined
}
