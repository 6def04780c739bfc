import type { CompletionJob } from '../engine.ts'
import { readCompletionChunk, readGenerateChunk, readInfillChunk } from './completion-chunk.ts'
import { jsonLineChunks } from './json-lines.ts'
import { type PromptSize, textSize } from './prompt-size.ts'
import { samplingFields, tokenLimit } from './sampling-fields.ts'
import type { ServerRun } from './server-run.ts'
import { sseChunks } from './sse-events.ts'
import { type StreamedRequest, streamedWork, type TextWorkshop } from './streamed-work.ts'
import { refuseCompletion, refuseLong } from './unsupported.ts'

/** A text that goes on after the prompt, without a template. Throws a `ServerError`. */
export async function completionWork(
  job: CompletionJob,
  workshop: TextWorkshop,
  run: ServerRun,
): Promise<void> {
  const { model, dialect } = workshop
  const { prompt, suffix } = job
  const size = textSize(suffix === undefined ? [prompt] : [prompt, suffix])
  const refusal = refuseCompletion(job, model, dialect) ?? refuseLong(size, model, dialect)
  if (refusal !== undefined) return run.refuse(refusal)
  const limits = { maxTokens: job.sampling.maxTokens, mostCalls: 0 }
  await streamedWork(workshop, run, { ...requestOf(job, workshop, size), size, limits })
}

type Request = Pick<StreamedRequest, 'path' | 'body' | 'chunks'>

function requestOf(job: CompletionJob, workshop: TextWorkshop, size: PromptSize): Request {
  const { dialect } = workshop
  if (dialect.completions === 'ollama') return ollamaRequest(job, workshop)
  if (job.suffix !== undefined && dialect.completions === 'llama-server') return infillRequest(job, workshop)
  const { model } = workshop
  const { prompt, suffix, sampling } = job
  return {
    path: '/v1/completions',
    body: {
      model: model.serverName,
      prompt,
      ...(suffix !== undefined && { suffix }),
      stream: true,
      stream_options: { include_usage: true, ...dialect.streamOptions },
      ...samplingFields(sampling, dialect),
      ...tokenLimit(sampling.maxTokens, model.contextLength - size.estimate, dialect),
    },
    chunks: (open) => sseChunks(open, readCompletionChunk),
  }
}

/** Ollama's OpenAI endpoint puts the prompt into the model's template; its own can leave that out. */
function ollamaRequest(
  { prompt, suffix, sampling }: CompletionJob,
  { model, dialect }: TextWorkshop,
): Request {
  return {
    path: '/api/generate',
    body: {
      model: model.serverName,
      prompt,
      // For what stands between two texts the model has a template of its own.
      ...(suffix === undefined ? { raw: true } : { suffix }),
      stream: true,
      options: { ...samplingFields(sampling, dialect), num_predict: sampling.maxTokens },
    },
    chunks: (open) => jsonLineChunks(open, readGenerateChunk),
  }
}

/** llama-server makes the prompt of the tokens that the model has for it. */
function infillRequest(
  { prompt, suffix, sampling }: CompletionJob,
  { model, dialect }: TextWorkshop,
): Request {
  return {
    path: '/infill',
    body: {
      model: model.serverName,
      input_prefix: prompt,
      input_suffix: suffix,
      stream: true,
      ...samplingFields(sampling, dialect),
      n_predict: sampling.maxTokens,
    },
    chunks: (open) => sseChunks(open, readInfillChunk),
  }
}
