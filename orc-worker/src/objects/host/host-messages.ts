import { CloseCode, type Up, decodeUp } from '@daisi/protocol'
import { assertNever } from '../../domain/assert-never.ts'
import { noteDirectReport } from './direct.ts'
import type { HostSocket } from './attachments.ts'
import type { HostContext } from './context.ts'
import { greet } from './greet.ts'
import { noteModels, noteSettings, noteStatus } from './host-words.ts'
import { acceptJob, endJob, refuseJob } from './job-messages.ts'
import type { Tagged } from './sockets.ts'

/** What a Host says of itself as often as it likes, and directories hear of. */
const WORDS: ReadonlySet<Up['type']> = new Set(['status', 'models', 'settings'])

/** One control message of the Host. `too-many`: it was not looked at, since there were too many like it. */
export async function handleHostText(
  host: Tagged<HostSocket>,
  text: string,
  context: HostContext,
): Promise<'too-many' | void> {
  const decoded = decodeUp(text)
  if (decoded.kind === 'unknown') return
  if (decoded.kind === 'too-large') return host.socket.close(CloseCode.TooLarge, 'message too large')
  if (decoded.kind === 'malformed') return host.socket.close(CloseCode.BadMessage, reason(decoded.reason))
  const { message } = decoded
  if (!host.attachment.greeted && message.type !== 'hello')
    return host.socket.close(CloseCode.BadMessage, 'hello comes first')
  if (WORDS.has(message.type) && context.limits.exceeds('host_words', Date.now())) return 'too-many'
  switch (message.type) {
    case 'hello':
      return greet(host, message, context)
    case 'status':
      return noteStatus(host, message, context)
    case 'models':
      return noteModels(host, message, context)
    case 'settings':
      return noteSettings(host, message, context)
    case 'accepted':
      return acceptJob(host, message, text, context)
    case 'refused':
      return refuseJob(host, message, text, context)
    case 'job-end':
      return endJob(host, message, context)
    case 'direct-report':
      return noteDirectReport(host, message, context)
    case 'ack':
      return context.commands.acknowledge(message)
    default:
      return assertNever(message)
  }
}

// A close reason may have 123 bytes (RFC 6455 §5.5).
function reason(text: string): string {
  return text.slice(0, 120)
}
