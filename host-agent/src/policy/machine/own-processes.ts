import { readdir, readFile } from 'node:fs/promises'

/** Process ids of this agent and the engines it has started, as far as Linux lists them. */
export async function ownProcesses(): Promise<ReadonlySet<number>> {
  const folder = `/proc/${process.pid}/task`
  const threads = await readdir(folder).catch(() => [])
  const children = await Promise.all(
    threads.map((thread) => readFile(`${folder}/${thread}/children`, 'utf8').catch(() => '')),
  )
  const pids = children
    .join(' ')
    .split(/\s+/)
    .filter((text) => text !== '')
  return new Set([process.pid, ...pids.map(Number)])
}
