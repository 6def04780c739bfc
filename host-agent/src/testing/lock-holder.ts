import { StateLock } from '../control/state-lock.ts'

/** A process that holds the lock of the state folder in its argument until it is killed. */
await StateLock.acquire(process.argv[2] ?? '')
process.stdout.write('locked\n')
setInterval(() => {}, 60_000)
