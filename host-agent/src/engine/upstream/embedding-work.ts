import type { EngineJob } from '../engine.ts'
import { checkedUsage } from './checked-usage.ts'
import type { TextWorkshop } from './chat-work.ts'
import { embeddingAnswer, vectorsOf } from './embedding-answer.ts'
import { promptSize } from './prompt-size.ts'
import type { ServerRun } from './server-run.ts'

/** Inputs of one request, so that results come early and a cancelled job stops soon. */
const INPUTS_PER_REQUEST = 32
/** Bytes of one answer: as many vectors of the longest models, written as numbers. */
const MOST_ANSWER_BYTES = 32 * 1024 * 1024

/** The vectors of some texts. They cost their prompt and nothing else. Throws a `ServerError`. */
export async function embeddingWork(
  { input }: Extract<EngineJob, { kind: 'embedding' }>,
  { client, model, gapTimeoutMs }: TextWorkshop,
  run: ServerRun,
): Promise<void> {
  const size = promptSize(input.filter((text) => typeof text === 'string'))
  const { signal } = run
  let counted = 0
  run.startSoon(size.estimate)
  for (let start = 0; start < input.length; start += INPUTS_PER_REQUEST) {
    const inputs = input.slice(start, start + INPUTS_PER_REQUEST)
    const body = { model: model.serverName, input: inputs, encoding_format: 'float' }
    const options = { signal, body, gapTimeoutMs, mostBytes: MOST_ANSWER_BYTES }
    const answer = await client.json('/v1/embeddings', embeddingAnswer, options)
    const vectors = vectorsOf(answer, inputs.length)
    run.start()
    for (const vector of vectors) await run.results.write(vector, 0, signal)
    counted += answer.usage?.prompt_tokens ?? 0
  }
  const limits = { promptTokens: Math.min(size.estimate, size.bound), generatedTokens: 0 }
  const usage = checkedUsage({ prompt_tokens: counted }, limits)
  if (signal.aborted) run.abort(usage)
  else run.end('stop', usage)
}
