import type { EngineJob } from '../engine.ts'
import { embeddingAnswer, vectorsOf } from './embedding-answer.ts'
import { type PromptText, textSize, weightOf } from './prompt-size.ts'
import type { ServerRun } from './server-run.ts'
import type { TextWorkshop } from './streamed-work.ts'

/** Inputs of one request, so that results come early and a cancelled job stops soon. */
const INPUTS_PER_REQUEST = 32
/** Bytes of one answer: as many vectors of the longest models, written as numbers. */
const MOST_ANSWER_BYTES = 32 * 1024 * 1024
/** Tokens that a frame can state. */
const MOST_FRAME_TOKENS = 65_535

/** The vectors of some inputs. Each states the tokens of its own input (P7). Throws a `ServerError`. */
export async function embeddingWork(
  { input }: Extract<EngineJob, { kind: 'embedding' }>,
  { client, model, dialect, gapTimeoutMs }: TextWorkshop,
  run: ServerRun,
): Promise<void> {
  if (!dialect.takesTokens && input.some((text) => typeof text !== 'string')) {
    const message = 'the server behind this model takes no ids of tokens as input'
    return run.refuse({ code: 'unsupported_kind', message })
  }
  const size = textSize(input)
  const { signal } = run
  // All results together state no more than the job was accepted with.
  let left = Math.min(size.estimate, size.bound)
  run.startSoon(size.estimate)
  for (let start = 0; start < input.length; start += INPUTS_PER_REQUEST) {
    const inputs = input.slice(start, start + INPUTS_PER_REQUEST)
    const body = { model: model.serverName, input: inputs, encoding_format: 'float' }
    const options = { signal, body, gapTimeoutMs, mostBytes: MOST_ANSWER_BYTES }
    const answer = await client.json('/v1/embeddings', embeddingAnswer, options)
    const vectors = vectorsOf(answer, inputs.length)
    const counted = Math.min(answer.usage?.prompt_tokens ?? 0, left, textSize(inputs).bound)
    const tokens = spread(counted, inputs)
    left -= counted
    run.start()
    for (const [index, vector] of vectors.entries())
      await run.results.write(vector, Math.min(tokens[index] ?? 0, MOST_FRAME_TOKENS), signal)
  }
  const usage = { promptTokens: 0, cachedTokens: 0, generatedTokens: run.results.emittedTokens }
  if (signal.aborted) run.abort(usage)
  else run.end('stop', usage)
}

/** Shares of a count of tokens in proportion to the sizes of the inputs: a server counts them together. Their sum is exact. */
function spread(counted: number, inputs: readonly PromptText[]): readonly number[] {
  const weights = inputs.map((text) => weightOf(text))
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  let before = 0
  let given = 0
  return weights.map((weight) => {
    before += weight
    const upTo = Math.round((counted * before) / whole)
    const share = upTo - given
    given = upTo
    return share
  })
}
