import { spawn, type ChildProcess } from 'node:child_process'

/**
 * Ends `child` when this process ends, however it ends: a small shell waits for the end of a pipe that only this
 * process holds, so that not even `kill -9` leaves the child behind. The child must be in a group of its own
 * (`detached`), else a Ctrl-C in the terminal reaches it before we can stop things in order.
 */
export function dieWithParent(child: ChildProcess, signal: 'KILL' | 'TERM'): void {
  // Windows puts children into a job that ends with the parent.
  if (process.platform === 'win32' || child.pid === undefined) return
  const watcher = spawn('/bin/sh', ['-c', 'read -r _; kill -s "$1" "$2"', 'sh', signal, String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  // Without a shell the child still ends whenever this process gets to say so.
  watcher.on('error', () => undefined)
  watcher.unref()
  if ('unref' in watcher.stdin && typeof watcher.stdin.unref === 'function') watcher.stdin.unref()
  const onExit = (): void => {
    child.kill(`SIG${signal}`)
  }
  process.once('exit', onExit)
  child.once('exit', () => {
    process.off('exit', onExit)
    watcher.kill('SIGKILL')
  })
}
