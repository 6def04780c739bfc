import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { identify, startTimeByPs } from '../process-identity.ts'
import { freeze, isStopped, isStoppedByPs } from './freeze.ts'

const hasPs = spawnSync('ps').error === undefined

/** A process that repeats what it is told. */
async function echo(): Promise<ChildProcessWithoutNullStreams & { readonly pid: number }> {
  const program = `process.stdin.pipe(process.stdout); process.stdout.write('ready')`
  const child = spawn(process.execPath, ['-e', program])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return Object.assign(child, { pid: child.pid ?? 0 })
}

async function answers(child: ChildProcessWithoutNullStreams): Promise<void> {
  const answer = once(child.stdout, 'data')
  child.stdin.write('x')
  await answer
}

describe.skipIf(process.platform === 'win32')('a frozen process', () => {
  test('stands still until it is thawed, and then goes on where it was', async () => {
    const child = await echo()
    const frozen = await freeze(identify(child.pid))
    expect(frozen?.isFrozen()).toBe(true)
    let heard = ''
    child.stdout.on('data', (data: Buffer) => (heard += data.toString()))
    child.stdin.write('one')
    // Another one, told later, has answered by now.
    await answers(await echo())
    expect(heard).toBe('')
    const answer = once(child.stdout, 'data')
    const pausedMs = frozen?.thaw()
    await answer
    expect(heard).toBe('one')
    expect(frozen?.thaw()).toBe(pausedMs)
    expect(frozen?.isFrozen()).toBe(false)
  })

  test('goes on when whoever froze it is killed', async () => {
    const child = await echo()
    const program = `
      const { freeze } = await import(${JSON.stringify(join(import.meta.dirname, 'freeze.ts'))})
      const { identify } = await import(${JSON.stringify(join(import.meta.dirname, '../process-identity.ts'))})
      const frozen = await freeze(identify(${child.pid}))
      process.stdout.write(String(frozen.isFrozen()))
      process.stdin.resume()
    `
    const freezer = spawn(process.execPath, ['--input-type=module', '-e', program])
    const [state] = await once(freezer.stdout, 'data')
    expect(String(state)).toBe('true')
    expect(isStopped(child.pid)).toBe(true)
    freezer.kill('SIGKILL')
    await answers(child)
  })

  test('is never a namesake of the one that was meant, nor one that is gone', async () => {
    const child = await echo()
    expect(await freeze({ pid: child.pid, birth: 'another boot/1' })).toBeUndefined()
    await answers(child)
    const identity = identify(child.pid)
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(await freeze(identity)).toBeUndefined()
  })

  test('may end while it stands, which shows', async () => {
    const child = await echo()
    const frozen = await freeze(identify(child.pid))
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(frozen?.isFrozen()).toBe(false)
    frozen?.thaw()
  })

  test.skipIf(!hasPs)('is told by ps too, which stands in where there is no /proc', async () => {
    const child = await echo()
    expect(isStoppedByPs(child.pid)).toBe(false)
    const frozen = await freeze(identify(child.pid))
    expect(isStoppedByPs(child.pid)).toBe(true)
    frozen?.thaw()
    expect(startTimeByPs(process.pid)).toMatch(/\d{4}$/)
    expect([startTimeByPs(2_147_483_646), isStoppedByPs(2_147_483_646)]).toEqual([null, false])
  })
})
