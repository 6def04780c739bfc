import { expect } from 'vitest'
import { connectDirect } from '../src/direct/connect-direct.ts'
import type { DirectOptions } from '../src/direct/options.ts'
import type { Chat } from '../src/chat.ts'
import type { DaisiOptions } from '../src/options.ts'
import { client, request } from './client.ts'
import { FakeHost } from './fake-host.ts'
import { type Fault, FakeOrc, type Seen } from './fake-orc.ts'
import { ManualStream } from './manual-stream.ts'

/** A chat, and who answers it: an Orc, or a Host. What holds for one holds for the other. */
export interface Wire {
  readonly chat: Pick<Chat, 'create' | 'stream'>
  readonly peer: { readonly seen: readonly Seen[]; next: (...faults: Fault[]) => unknown }
  /** What the answer's `requestId` is. */
  readonly requestId: unknown
  /** An answer that the test sends piece by piece. It is the next one. */
  readonly manual: () => ManualStream
}

/** Every way on which a chat can go. */
export const wires: readonly (readonly [string, (options?: Partial<DaisiOptions>) => Promise<Wire>])[] = [
  [
    'through the Orc',
    (options) => {
      const orc = new FakeOrc()
      return Promise.resolve({ ...wire('orc', orc), chat: client(orc, options).chat, requestId: 'req_1' })
    },
  ],
  [
    'direct',
    async () => {
      const { host, direct } = await directTo(new FakeHost(), { fallback: false })
      return {
        ...wire('host', host),
        chat: direct.chat,
        requestId: expect.stringMatching(/^job_[0-9a-f]{32}$/),
      }
    },
  ],
]

function wire(by: 'orc' | 'host', peer: Wire['peer']): Pick<Wire, 'peer' | 'manual'> {
  const manual = (): ManualStream => {
    const source = new ManualStream(by)
    peer.next(source.answer)
    return source
  }
  return { peer, manual }
}

/** A Direct Connection to this Host, made by an Orc of its own. */
export async function directTo(
  host: FakeHost,
  options: Partial<DirectOptions> = {},
): Promise<{ host: FakeHost; orc: FakeOrc; direct: Awaited<ReturnType<typeof connectDirect>> }> {
  const orc = new FakeOrc(host)
  const direct = await connectDirect(client(orc), { model: request.model, fetch: host.fetch, ...options })
  return { host, orc, direct }
}
