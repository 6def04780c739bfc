import * as z from 'zod'
import { command, drain } from './command.ts'
import { directNoted, directRevoked } from './direct.ts'
import { cancel, credit, run } from './job.ts'
import { welcome } from './welcome.ts'

/** Every message that an Orc may send to a Host. */
export const down = z.discriminatedUnion('type', [
  welcome,
  run,
  cancel,
  credit,
  drain,
  command,
  directNoted,
  directRevoked,
])
export type Down = z.infer<typeof down>
