import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Milliseconds since something was last typed into a terminal, by the time of its last reading; undefined without terminals. */
export async function readTerminalIdle(nowMs: number): Promise<number | undefined> {
  const paths = [...(await list('/dev/pts', /^\d+$/)), ...(await list('/dev', /^tty\d+$/))]
  const times = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ atimeMs }) => atimeMs,
        () => 0,
      ),
    ),
  )
  const newest = Math.max(0, ...times)
  return newest === 0 ? undefined : Math.max(0, nowMs - newest)
}

async function list(folder: string, pattern: RegExp): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => pattern.test(name)).map((name) => join(folder, name))
}
