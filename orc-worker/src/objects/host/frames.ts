import {
  CloseCode,
  type Frame,
  type JobKind,
  type PartsFrame,
  type ResultFrame,
  type TextFrame,
  decodeFrame,
} from '@daisi/protocol'
import { imagePartFault, resultHead } from '../../domain/image-result.ts'
import { billableTokens, partBytes } from '../../domain/money/claim.ts'
import { utf8Length } from '../../domain/money/price.ts'
import { type HostSocket, type MeteredJob, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import type { Tagged } from './sockets.ts'

/** Characters of the longest token that a vocabulary may have. Known ones stay below 300. */
const MAX_TOKEN_CHARACTERS = 1_024
/** Kinds of Jobs whose results are not text (rule F8). */
const RESULT_KINDS: ReadonlySet<JobKind> = new Set(['embedding', 'ranking', 'image'])
/** Tokens between two checkpoints of a meter. */
const CHECKPOINT_TOKENS = 256
/** A checkpoint whose sockets are gone counts after this long. */
const CHECKPOINT_DEADLINE_MS = 30_000

/** One frame: handed on untouched, then metered. Frames of forgotten Jobs are dropped (rule J7). */
export function handleFrame(
  host: Tagged<HostSocket>,
  bytes: ArrayBuffer,
  context: HostContext,
): Promise<void> | void {
  const frame = decodeFrame(bytes)
  if (frame === undefined || !host.attachment.greeted)
    return host.socket.close(CloseCode.BadMessage, 'malformed frame')
  const relay = context.sockets.ownRelay(host.attachment, frame.jobId)
  if (relay === undefined) return
  const { socket, attachment } = relay
  const { job } = attachment
  const fault = frameFault(frame, job)
  if (fault !== undefined) return host.socket.close(CloseCode.BadMessage, fault)
  socket.send(bytes)
  const textBytes = frame.kind === 'parts' ? partBytes(frame.parts) : utf8Length(frame.text)
  const metered = {
    ...job,
    sentTokens: job.sentTokens + frame.tokenCount,
    deliveredTokens: deliveredWith(frame, job, textBytes),
    textBytes: job.textBytes + textBytes,
    ...unfinishedWith(frame, job),
    calls: job.calls + (frame.kind === 'parts' ? callsIn(frame) : 0),
    ended: job.ended + (frame.kind === 'result' && frame.last ? 1 : 0),
    nextSequence: frame.sequence + 1,
    windowBytes: job.windowBytes - bytes.byteLength,
  }
  writeAttachment(socket, { ...attachment, job: metered })
  // After the frame has left: no token waits for the disk.
  const step = (tokens: number): number => Math.floor(tokens / CHECKPOINT_TOKENS)
  if (frame.sequence > 0 && step(metered.sentTokens) === step(job.sentTokens)) return
  const deadline = Date.now() + CHECKPOINT_DEADLINE_MS
  context.storage.checkpoint(metered, deadline)
  return context.alarm.at(deadline)
}

/** What is wrong with a frame of a Job, or undefined. Honest Hosts send none of these. */
function frameFault(frame: Frame, job: MeteredJob): string | undefined {
  if (!job.accepted) return 'frame before accepted'
  if (frame.sequence !== job.nextSequence) return 'frame out of sequence'
  // A Host may send while its window is above zero; one that goes on would fill the Worker's memory.
  if (job.windowBytes <= 0) return 'frame beyond the window'
  if (job.sentTokens + frame.tokenCount > job.maxTokens) return 'more tokens than were asked for'
  return frame.kind === 'result' ? resultFault(frame, job) : answerFault(frame, job)
}

function answerFault(
  frame: TextFrame | PartsFrame,
  { kind, calls, logprobs: asked = -1 }: MeteredJob,
): string | undefined {
  const { text, tokenCount, logprobs = [] } = frame
  if (kind !== 'chat' && (kind !== 'completion' || frame.kind === 'parts'))
    return 'output for a Job of another kind'
  if (tokenCount === 0) return 'frame without tokens'
  if (text.length > tokenCount * MAX_TOKEN_CHARACTERS) return 'more text than its tokens can have'
  if (frame.kind === 'parts' && !isInOrder(frame, calls)) return 'calls out of order'
  return logprobs.some(({ top }) => top.length > asked) ? 'probabilities that nobody asked for' : undefined
}

/** Whether each call begins once, with its name, in order, and nothing is added to one that has not begun. `begun` did so before. */
function isInOrder({ parts }: PartsFrame, begun: number): boolean {
  let calls = begun
  for (const part of parts) {
    if (part.type !== 'tool-call') continue
    if (part.name === undefined ? part.index >= calls : part.index !== calls) return false
    if (part.name !== undefined) calls++
  }
  return true
}

/** Calls that begin here: an allowance is paid with the name of each. */
function callsIn({ parts }: PartsFrame): number {
  return parts.filter((part) => part.type === 'tool-call' && part.name !== undefined).length
}

function resultFault({ text, last, tokenCount }: ResultFrame, job: MeteredJob): string | undefined {
  const { kind, tokensPerResult, results, resultCharacters: before, resultHead: head } = job
  if (!RESULT_KINDS.has(kind)) return 'a result for a Job of another kind'
  if (!last && tokenCount > 0) return 'tokens before the end of a result'
  if (results !== undefined && job.ended >= results.count) return 'more results than were asked for'
  if (results !== undefined && last) {
    if (tokenCount > results.mostTokens) return 'a result at more than its input can take'
    // Base64 of whole numbers of four bytes.
    if (before + text.length === 0 || (before + text.length) % 4 !== 0) return 'a result without a vector'
  }
  if (tokensPerResult === undefined) return undefined
  if (last && tokenCount !== tokensPerResult) return 'a result at another price'
  const part = { text, last, before, head, tokens: tokensPerResult }
  return kind === 'image' ? imagePartFault(part) : undefined
}

/** What is to be known of a result that is not at its end after this frame. */
function unfinishedWith(frame: Frame, job: MeteredJob): Pick<MeteredJob, 'resultCharacters' | 'resultHead'> {
  if (frame.kind !== 'result' || frame.last) return { resultCharacters: 0, resultHead: '' }
  return {
    resultCharacters: job.resultCharacters + frame.text.length,
    resultHead: resultHead(job.resultHead, frame.text),
  }
}

/** What can be paid for once this frame is handed on. The tokens of a result stand for all of its frames. */
function deliveredWith(frame: Frame, job: MeteredJob, textBytes: number): number {
  if (frame.kind === 'result') return job.deliveredTokens + frame.tokenCount
  return job.deliveredTokens + billableTokens(frame.tokenCount, textBytes)
}
