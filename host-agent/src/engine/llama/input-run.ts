import type { EngineJob, EngineRefusal } from '../engine.ts'
import { ResultWriter } from '../output/result-writer.ts'
import { type Emit, failure, type ModelRun } from './model-run.ts'

/** Work on several inputs, each of which has one result. */
export interface InputWork {
  /** Tokens of each input. */
  readonly inputTokens: readonly number[]
  /** The result of one input as text. */
  readonly result: (index: number) => Promise<string>
  /** Why nothing is done. */
  readonly refusal?: EngineRefusal
}

/** Runs a job of inputs: one result for each, in order. It can be cancelled between two of them. */
export function runInputs(
  job: EngineJob,
  contextLength: number,
  prepare: () => Promise<InputWork>,
  signal: AbortSignal,
  emit: Emit,
): ModelRun {
  const output = new ResultWriter(job.windowBytes, (part) => emit({ type: 'result', ...part }))
  const work = async (): Promise<void> => {
    const { inputTokens, result, refusal = check(inputTokens, contextLength) } = await prepare()
    if (refusal !== undefined) return emit({ type: 'refused', refusal })
    const promptTokens = inputTokens.reduce((sum, tokens) => sum + tokens, 0)
    emit({ type: 'start', promptTokens, cachedTokens: 0 })
    for (const index of inputTokens.keys()) {
      if (signal.aborted) break
      // The price of such work is what is read for it (P7).
      await output.write(await result(index), inputTokens[index] ?? 0, signal)
    }
    emit({
      type: 'end',
      finishReason: signal.aborted ? 'cancelled' : 'stop',
      usage: { promptTokens: 0, cachedTokens: 0, generatedTokens: output.emittedTokens },
    })
  }
  return {
    grant: (bytes) => output.grant(bytes),
    done: work().catch((error: unknown) => emit(failure(error))),
  }
}

function check(inputTokens: readonly number[], contextLength: number): EngineRefusal | undefined {
  const empty = inputTokens.indexOf(0)
  if (empty >= 0)
    return { code: 'invalid_payload', field: 'input', message: `input ${empty} is empty; leave it out` }
  const index = inputTokens.findIndex((tokens) => tokens >= contextLength)
  if (index < 0) return undefined
  const promptTokens = inputTokens[index] ?? 0
  const message = `input ${index} has ${promptTokens} tokens and this model reads fewer than ${contextLength} at a time; shorten it`
  return { code: 'context_length_exceeded', promptTokens, contextLength, message }
}
