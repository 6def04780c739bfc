import * as z from 'zod'
import { MAX_FRAME_BYTES } from '../limits.ts'
import { type TokenLogprob, tokenLogprob } from './chat-payload.ts'
import { type OutputPart, outputPart } from './output-part.ts'

/**
 * One piece of a Job's output. On the wire it is a binary message (rules F1–F4, F8), all numbers big-endian:
 *
 * ```
 * byte 0      kind: 1 = text, 2 = part of a result that is not text, 3 = parts of an answer
 * byte 1      flags: 1 = sealed (the body is ciphertext), 2 = with logprobs, 4 = without token ids, 8 = a result ends here
 * bytes 2–3   token count n
 * bytes 4–7   sequence number, from 0, rising by one in each Job
 * bytes 8–23  job id, 16 bytes
 * then        n × 4 bytes token ids, unless flag 4 is set
 * then        with flag 2: 4 bytes length and so many bytes of JSON, an array of n `tokenLogprob`
 * then        UTF-8 text to the end; of kind 3 JSON, an array of `outputPart`
 * ```
 *
 * The header has a fixed size so that the Orc meters and routes a frame without reading its text.
 */
export type Frame = TextFrame | PartsFrame | ResultFrame

interface FrameBase {
  readonly jobId: string
  readonly sequence: number
  /** Tokens that this frame carries; of a result their equivalent, all in its last frame. */
  readonly tokenCount: number
  readonly text: string
}

interface AnswerFrame extends FrameBase {
  /** Ids of exactly the tokens whose output this frame carries; empty where the Host cannot know them. */
  readonly tokenIds: readonly number[]
  /** One for each token, if the Job asked for them. */
  readonly logprobs?: readonly TokenLogprob[]
}

/** Text of an answer. */
export interface TextFrame extends AnswerFrame {
  readonly kind: 'text'
}

/** Parts of an answer, not all of which are text. */
export interface PartsFrame extends AnswerFrame {
  readonly kind: 'parts'
  readonly parts: readonly OutputPart[]
  /** The parts as JSON. */
  readonly text: string
}

/** A part of a result that is not text: the texts of its frames, joined, are the result. */
export interface ResultFrame extends FrameBase {
  readonly kind: 'result'
  readonly last: boolean
}

/** The part of a frame that the Orc reads. */
export interface FrameHeader {
  readonly jobId: string
  readonly sequence: number
  readonly tokenCount: number
  readonly sealed: boolean
}

/** Bytes of the fixed header. */
export const FRAME_HEADER_BYTES = 24

const KIND = { text: 1, result: 2, parts: 3 } as const
const FLAG = { sealed: 1, logprobs: 2, withoutIds: 4, last: 8 } as const
const FLAGS_OF: Readonly<Record<number, number>> = {
  [KIND.text]: FLAG.sealed | FLAG.logprobs | FLAG.withoutIds,
  [KIND.parts]: FLAG.sealed | FLAG.logprobs | FLAG.withoutIds,
  [KIND.result]: FLAG.sealed | FLAG.withoutIds | FLAG.last,
}
const MOST_TOKENS = 0xff_ff
const NO_TOKENS = { tokenIds: [], logprobs: undefined } as const
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const logprobList = z.array(tokenLogprob)
const partList = z.array(outputPart)

/** A frame of text whose tokens are known. */
export function textFrame(frame: Omit<TextFrame, 'kind' | 'tokenCount'>): TextFrame {
  return { kind: 'text', tokenCount: frame.tokenIds.length, ...frame }
}

/** A frame of parts. Where the Host cannot know its tokens it says how many they are. */
export function partsFrame(frame: Omit<PartsFrame, 'kind' | 'text'>): PartsFrame {
  return { kind: 'parts', ...frame, text: JSON.stringify(frame.parts) }
}

/** The bytes of a frame. Throws `RangeError` if it exceeds `MAX_FRAME_BYTES` or 65,535 tokens. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const text = encoder.encode(frame.text)
  const { tokenIds, logprobs: known } = frame.kind === 'result' ? NO_TOKENS : frame
  const logprobs = known !== undefined && encodeLogprobs(known)
  const logprobBytes = logprobs === false ? 0 : 4 + logprobs.length
  const size = FRAME_HEADER_BYTES + tokenIds.length * 4 + logprobBytes + text.length
  if (size > MAX_FRAME_BYTES || frame.tokenCount > MOST_TOKENS)
    throw new RangeError(`a frame of ${size} bytes and ${frame.tokenCount} tokens is too large`)
  const withoutIds = tokenIds.length !== frame.tokenCount
  if (withoutIds && tokenIds.length > 0)
    throw new RangeError('a frame has the ids of all its tokens, or none')
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, KIND[frame.kind])
  const flags =
    (logprobs === false ? 0 : FLAG.logprobs) |
    (withoutIds ? FLAG.withoutIds : 0) |
    (frame.kind === 'result' && frame.last ? FLAG.last : 0)
  view.setUint8(1, flags)
  view.setUint16(2, frame.tokenCount)
  view.setUint32(4, frame.sequence)
  writeJobId(view, frame.jobId)
  let offset = FRAME_HEADER_BYTES
  for (const id of tokenIds) {
    view.setUint32(offset, id)
    offset += 4
  }
  if (logprobs !== false) {
    view.setUint32(offset, logprobs.length)
    bytes.set(logprobs, offset + 4)
    offset += logprobBytes
  }
  bytes.set(text, offset)
  return bytes
}

/** Bytes that logprobs take in a frame, for whoever must keep frames below their limit. */
export function logprobSize(logprobs: readonly TokenLogprob[]): number {
  return 4 + encodeLogprobs(logprobs).length
}

/** The header of a received frame, or undefined if the bytes are no frame of this version. Never throws. */
export function readFrameHeader(bytes: ArrayBuffer | Uint8Array): FrameHeader | undefined {
  if (bytes.byteLength < FRAME_HEADER_BYTES || bytes.byteLength > MAX_FRAME_BYTES) return undefined
  const view = viewOf(bytes)
  const tokenCount = view.getUint16(2)
  const flags = view.getUint8(1)
  const allowed = FLAGS_OF[view.getUint8(0)]
  if (allowed === undefined || (flags & ~allowed) !== 0) return undefined
  const sealed = (flags & FLAG.sealed) !== 0
  if (!sealed && FRAME_HEADER_BYTES + idsIn(tokenCount, flags) * 4 > bytes.byteLength) return undefined
  return { jobId: readJobId(view), sequence: view.getUint32(4), tokenCount, sealed }
}

/** A whole received frame, or undefined if it is malformed or sealed. Never throws. */
export function decodeFrame(bytes: ArrayBuffer | Uint8Array): Frame | undefined {
  const header = readFrameHeader(bytes)
  if (header === undefined || header.sealed) return undefined
  const { jobId, sequence, tokenCount } = header
  const view = viewOf(bytes)
  const flags = view.getUint8(1)
  const ids = idsIn(tokenCount, flags)
  const tokenIds = Array.from({ length: ids }, (_, index) => view.getUint32(FRAME_HEADER_BYTES + index * 4))
  let offset = FRAME_HEADER_BYTES + ids * 4
  try {
    if (view.getUint8(0) === KIND.result) {
      const last = (flags & FLAG.last) !== 0
      return { kind: 'result', jobId, sequence, tokenCount, last, text: readText(view, offset) }
    }
    let logprobs: readonly TokenLogprob[] | undefined
    if ((flags & FLAG.logprobs) !== 0) {
      const length = view.getUint32(offset)
      logprobs = logprobList.parse(JSON.parse(readText(view, offset + 4, length)))
      if (logprobs.length !== tokenCount) return undefined
      offset += 4 + length
    }
    const text = readText(view, offset)
    const known = { jobId, sequence, tokenCount, tokenIds, text, ...(logprobs && { logprobs }) }
    if (view.getUint8(0) === KIND.text) return { kind: 'text', ...known }
    return { kind: 'parts', ...known, parts: partList.parse(JSON.parse(text)) }
  } catch {
    return undefined
  }
}

function idsIn(tokenCount: number, flags: number): number {
  return (flags & FLAG.withoutIds) === 0 ? tokenCount : 0
}

function encodeLogprobs(logprobs: readonly TokenLogprob[]): Uint8Array {
  return encoder.encode(JSON.stringify(logprobs))
}

/** Throws for a range outside of the bytes, or what is not UTF-8. */
function readText(view: DataView, offset: number, length = view.byteLength - offset): string {
  return decoder.decode(new Uint8Array(view.buffer, view.byteOffset + offset, length))
}

function viewOf(bytes: ArrayBuffer | Uint8Array): DataView {
  return bytes instanceof ArrayBuffer
    ? new DataView(bytes)
    : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function writeJobId(view: DataView, jobId: string): void {
  for (let index = 0; index < 16; index++)
    view.setUint8(8 + index, Number.parseInt(jobId.slice(4 + index * 2, 6 + index * 2), 16))
}

function readJobId(view: DataView): string {
  let hex = ''
  for (let index = 0; index < 16; index++)
    hex += view
      .getUint8(8 + index)
      .toString(16)
      .padStart(2, '0')
  return `job_${hex}`
}
