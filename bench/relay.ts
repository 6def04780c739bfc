import { join } from 'node:path'
import { ChatClient, type Streamed } from './support/chat-client.ts'
import { startFrameCounter } from './support/frame-counter.ts'
import { chatRequest, type MockAnswer, mockRequest } from './support/mock-answer.ts'
import { type BenchOptions, type Network, withNetwork } from './support/network.ts'
import { cpuSeconds, descendants, measureProcess, rssMegabytes } from './support/proc.ts'
import { startRealHost } from './support/real-host.ts'
import { fixed, printNote, printTable, progress, whole } from './support/report.ts'

const STREAM_COUNTS = [1, 16, 64]
const TOKENS_PER_FRAME = 4
/** A quick model on a quick machine, as one reader sees it. */
const PACED_TOKENS_PER_SECOND = 30
/** Most tokens that a request may ask for; a flood ends by its time. */
const FLOOD_TOKENS = 262_144
const NANO = join(import.meta.dirname, '../models/daisi-nano/daisi-nano.gguf')

/** What one Orc relays, and what that costs. */
export async function benchRelay(options: BenchOptions): Promise<void> {
  await relayMockStreams(options)
  await countRealMessages(options)
}

async function relayMockStreams({ quick, ...options }: BenchOptions): Promise<void> {
  const bounds = quick
    ? { paced: 1, flood: 0.2, tokens: 8_192 }
    : { paced: 8, flood: 4, tokens: FLOOD_TOKENS }
  const rows: (string | number)[][] = []
  const idle = { orc: 0, host: 0 }
  for (const streams of STREAM_COUNTS) {
    // A new Orc for each count, so that memory is that of this load.
    await withNetwork({ quick, ...options }, async (network, defer) => {
      const host = await network.startMockHost(Math.max(...STREAM_COUNTS))
      const client = new ChatClient(network.url, network.secretKey, streams)
      defer(() => client.close())
      await client.chat(mockRequest({ tokens: 8, tokensPerFrame: TOKENS_PER_FRAME }))
      idle.orc = rssMegabytes(network.orcPid)
      idle.host = rssMegabytes(host.pid)
      const messages = async (): Promise<number> => ((await host.ask({})) as { messages: number }).messages
      const measure = async (name: string, answer: MockAnswer): Promise<void> => {
        progress(`relay: ${streams} streams, ${name}`)
        const before = { messages: await messages(), hostCpu: cpuSeconds(host.pid) }
        const { result, cpu, peakRss } = await measureProcess(network.orcPid, () =>
          Promise.all(Array.from({ length: streams }, () => client.chat(mockRequest(answer)))),
        )
        const { tokens, perSecond, seconds: took } = throughput(result)
        const sent = (await messages()) - before.messages
        rows.push([
          `${streams} × ${name}`,
          whole(tokens),
          whole(perSecond),
          fixed((cpu / tokens) * 1000, 4),
          fixed((cpu / took) * 100, 0),
          whole((sent / tokens) * 1000),
          fixed(idle.orc, 0),
          fixed(peakRss, 0),
          `${fixed(idle.host, 0)} / ${fixed(rssMegabytes(host.pid), 0)}`,
        ])
      }
      const paced = PACED_TOKENS_PER_SECOND
      const tokens = Math.ceil(paced * bounds.paced)
      await measure(`${paced} tok/s`, { tokens, tokensPerFrame: TOKENS_PER_FRAME, tokensPerSecond: paced })
      await measure('flood', {
        tokens: FLOOD_TOKENS,
        tokensPerFrame: TOKENS_PER_FRAME,
        seconds: bounds.flood,
      })
    })
  }
  printTable(
    'relay: mock streams through one Orc',
    [
      'streams',
      'tokens',
      'tokens/s',
      'workerd CPU s per 1,000 tokens',
      'workerd CPU %',
      'Host messages per 1,000 tokens',
      'workerd RSS idle, MB',
      'workerd RSS peak, MB',
      'mock Host RSS idle / after, MB',
    ],
    rows,
  )
  printNote(
    `Frames of ${TOKENS_PER_FRAME} tokens; "flood" sends as fast as the credit window allows, which no real Host does ` +
      `(rule F4); what waits in the windows is read to the end. CPU and memory from /proc. Orc, mock Host and ${whole(Math.max(...STREAM_COUNTS))} readers share the machine.`,
  )
}

/** How well a real agent joins tokens into messages, counted on its own wire. */
async function countRealMessages(options: BenchOptions): Promise<void> {
  const rows: (string | number)[][] = []
  await withNetwork(options, async (network, defer) => {
    const counter = await startFrameCounter(network.url)
    defer(counter.stop)
    const host = await startRealHost({
      orcUrl: counter.url,
      modelPath: NANO,
      modelId: 'daisi-nano',
      stateDir: join(network.folder, 'host'),
      enrolmentToken: await network.enrolmentToken(),
      slots: 4,
      contextLength: 2048,
    })
    defer(host.stop)
    for (const streams of [1, 4]) {
      progress(`relay: daisi-nano, ${streams} streams`)
      rows.push(await realRow(network, host.pid, streams, options.quick ? 2 : 10, counter.counts))
    }
  })
  printTable(
    'relay: a real Host',
    [
      'streams',
      'tokens',
      'tokens/s',
      'messages from the Host per 1,000 tokens',
      'messages to the Host per 1,000 tokens',
      'workerd CPU s per 1,000 tokens',
      'workerd RSS, MB',
      'agent / engine RSS, MB',
    ],
    rows,
  )
  printNote(
    'Every control message counts: `accepted`, `job-end`, `status`. Without joining, frames alone would be 1,000. A model ' +
      'of fewer than 25 tokens/s has nothing to join.',
  )
}

async function realRow(
  network: Network,
  hostPid: number,
  streams: number,
  rounds: number,
  counts: () => { readonly fromHost: number; readonly fromOrc: number },
): Promise<(string | number)[]> {
  const client = new ChatClient(network.url, network.secretKey, streams)
  const body = chatRequest('daisi-nano', 'Tell me a story about a fox.', 400)
  await client.chat(body)
  const before = counts()
  const cpuBefore = cpuSeconds(network.orcPid)
  const all: Streamed[] = []
  for (let round = 0; round < rounds; round++) {
    all.push(...(await Promise.all(Array.from({ length: streams }, () => client.chat(body)))))
  }
  await client.close()
  const cpu = cpuSeconds(network.orcPid) - cpuBefore
  const { tokens, perSecond } = throughput(all)
  const after = counts()
  const engine = descendants(hostPid).map(rssMegabytes)
  return [
    `${streams} × daisi-nano`,
    whole(tokens),
    whole(perSecond),
    whole(((after.fromHost - before.fromHost) / tokens) * 1000),
    whole(((after.fromOrc - before.fromOrc) / tokens) * 1000),
    fixed((cpu / tokens) * 1000, 4),
    fixed(rssMegabytes(network.orcPid), 0),
    `${fixed(rssMegabytes(hostPid), 0)} / ${fixed(Math.max(...engine), 0)}`,
  ]
}

/** Tokens over the time from the first request to the last event with text. */
function throughput(answers: readonly Streamed[]): { tokens: number; perSecond: number; seconds: number } {
  const tokens = answers.reduce((sum, answer) => sum + answer.completionTokens, 0)
  const startedAt = Math.min(...answers.map(({ sentAt }) => sentAt))
  const endedAt = Math.max(...answers.map(({ lastAt }) => lastAt))
  const seconds = (endedAt - startedAt) / 1000
  return { tokens, perSecond: tokens / seconds, seconds }
}
