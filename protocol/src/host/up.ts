import * as z from 'zod'
import { ack } from './command.ts'
import { directReport } from './direct.ts'
import { hello } from './hello.ts'
import { accepted, jobEnd, refused } from './job.ts'
import { models } from './model.ts'
import { settingsReport } from './settings.ts'
import { status } from './status.ts'

/** Every control message that a Host may send. Stream output travels as binary frames, see `frame.ts`. */
export const up = z.discriminatedUnion('type', [
  hello,
  status,
  models,
  settingsReport,
  accepted,
  refused,
  jobEnd,
  ack,
  directReport,
])
export type Up = z.infer<typeof up>
