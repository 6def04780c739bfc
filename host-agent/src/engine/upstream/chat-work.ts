import type { ChatJob } from '../engine.ts'
import { readChatChunk } from './chat-chunk.ts'
import { chatRequest } from './chat-request.ts'
import { chatSize } from './prompt-size.ts'
import type { ServerRun } from './server-run.ts'
import { sseChunks } from './sse-events.ts'
import { streamedWork, type TextWorkshop } from './streamed-work.ts'
import { refuseChat, refuseLong } from './unsupported.ts'

/** Calls of tools in one answer at most (F10). */
const MOST_CALLS = 128

/** One streamed answer to a conversation. Throws a `ServerError`. */
export async function chatWork(job: ChatJob, workshop: TextWorkshop, run: ServerRun): Promise<void> {
  const { model, dialect } = workshop
  const size = chatSize(job)
  const refusal = refuseChat(job, model, dialect) ?? refuseLong(size, model, dialect)
  if (refusal !== undefined) return run.refuse(refusal)
  const mostCalls = job.tools === undefined ? 0 : job.parallelToolCalls === false ? 1 : MOST_CALLS
  await streamedWork(workshop, run, {
    path: '/v1/chat/completions',
    body: chatRequest(job, model, dialect, size),
    chunks: (open) => sseChunks(open, readChatChunk),
    size,
    limits: { maxTokens: job.sampling.maxTokens, mostCalls },
  })
}
