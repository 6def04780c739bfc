import {
  type FinishReason,
  type OutputPart,
  type Run,
  type TokenLogprob,
  encodeFrame,
  partsFrame,
} from '@daisi/protocol'
import type { TestHost } from './test-host.ts'

/** Every ability that a chat can ask for. */
export const ABILITIES = [
  'tools',
  'json-schema',
  'reasoning-effort',
  'vision',
  'logprobs',
  'top-k',
  'count-only',
] as const

/** Answers one Job with these parts, one token and one frame each, of 10 prompt tokens of which 4 were cached. */
export async function serveParts(
  host: TestHost,
  parts: readonly OutputPart[],
  options: { readonly finishReason?: FinishReason; readonly logprobs?: readonly TokenLogprob[] } = {},
): Promise<Run> {
  const run = await host.receive('run')
  host.accept(run, 10, 4)
  for (const [sequence, part] of parts.entries()) sendPart(host, run, sequence, part, options.logprobs)
  const usage = { promptTokens: 10, cachedTokens: 4, generatedTokens: parts.length }
  const { jobId } = run
  const receipt = await host.receipt(run, usage)
  const { finishReason = 'stop' } = options
  host.send({ type: 'job-end', jobId, outcome: 'completed', finishReason, usage, receipt })
  return run
}

/** Sends one part of an answer, of one token. */
export function sendPart(
  host: TestHost,
  { jobId }: Pick<Run, 'jobId'>,
  sequence: number,
  part: OutputPart,
  logprobs?: readonly TokenLogprob[],
): void {
  const frame = partsFrame({
    jobId,
    sequence,
    tokenCount: 1,
    tokenIds: [],
    parts: [part],
    ...(logprobs && { logprobs }),
  })
  host.sendRaw(encodeFrame(frame))
}

/** The events of a whole stream: the name that each was sent under, and its data. */
export async function namedEvents(response: Response): Promise<{ event: string; data: unknown }[]> {
  const text = await response.text()
  return [...text.matchAll(/^event: (.+)\ndata: (.+)\n\n/gm)].map(([, event = '', data = '']) => ({
    event,
    data: JSON.parse(data) as unknown,
  }))
}
