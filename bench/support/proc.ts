import { readFileSync, readdirSync } from 'node:fs'

/** Ticks of `/proc/PID/stat` in a second; Linux fixes it for user space. */
const TICKS_PER_SECOND = 100

/** CPU seconds that a process has used, or NaN where there is no /proc. */
export function cpuSeconds(pid: number): number {
  const text = read(`/proc/${pid}/stat`)
  // The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Resident memory of a process in megabytes, or NaN where there is no /proc. */
export function rssMegabytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`)) ?? []
  return Number(kilobytes) / 1024
}

/** Processes that this process has started, theirs included. */
export function descendants(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((text) => text !== '')
    .map(Number)
  const all = children.length > 0 ? children : childrenByParent(pid)
  return [...all, ...all.flatMap(descendants)]
}

/** What `work` cost this process: its result, CPU seconds, and the largest memory seen. */
export async function measureProcess<Result>(
  pid: number,
  work: () => Promise<Result>,
): Promise<{ result: Result; cpu: number; peakRss: number; seconds: number }> {
  const before = cpuSeconds(pid)
  const startedAt = performance.now()
  let peakRss = rssMegabytes(pid)
  const sampler = setInterval(() => {
    peakRss = Math.max(peakRss, rssMegabytes(pid))
  }, 100)
  try {
    const result = await work()
    const seconds = (performance.now() - startedAt) / 1000
    return { result, cpu: cpuSeconds(pid) - before, peakRss: Math.max(peakRss, rssMegabytes(pid)), seconds }
  } finally {
    clearInterval(sampler)
  }
}

function childrenByParent(pid: number): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((candidate) => new RegExp(`^PPid:\\s+${pid}$`, 'm').test(read(`/proc/${candidate}/status`)))
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
