import { MAX_FRAME_BYTES } from '../limits.ts'

/**
 * One piece of a Job's output. On the wire it is a binary message (rules F1–F4), all numbers big-endian:
 *
 * ```
 * byte 0      kind, 1 = output
 * byte 1      flags, bit 0 = sealed (the body is ciphertext)
 * bytes 2–3   token count n
 * bytes 4–7   sequence number, from 0, rising by one in each Job
 * bytes 8–23  job id, 16 bytes
 * then        n × 4 bytes token ids, then UTF-8 text to the end
 * ```
 *
 * The header has a fixed size so that the Orc meters and routes a frame without reading its text.
 */
export interface Frame {
  readonly jobId: string
  readonly sequence: number
  /** Ids of exactly the tokens whose text this frame carries. */
  readonly tokenIds: readonly number[]
  readonly text: string
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

const OUTPUT = 1
const SEALED = 1
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The bytes of a frame. Throws `RangeError` if it exceeds `MAX_FRAME_BYTES` or 65,535 tokens. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const text = encoder.encode(frame.text)
  const size = FRAME_HEADER_BYTES + frame.tokenIds.length * 4 + text.length
  if (size > MAX_FRAME_BYTES || frame.tokenIds.length > 0xff_ff)
    throw new RangeError(`a frame of ${size} bytes is too large`)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, OUTPUT)
  view.setUint16(2, frame.tokenIds.length)
  view.setUint32(4, frame.sequence)
  writeJobId(view, frame.jobId)
  let offset = FRAME_HEADER_BYTES
  for (const id of frame.tokenIds) {
    view.setUint32(offset, id)
    offset += 4
  }
  bytes.set(text, offset)
  return bytes
}

/** The header of a received frame, or undefined if the bytes are no frame of this version. Never throws. */
export function readFrameHeader(bytes: ArrayBuffer | Uint8Array): FrameHeader | undefined {
  if (bytes.byteLength < FRAME_HEADER_BYTES || bytes.byteLength > MAX_FRAME_BYTES) return undefined
  const view = viewOf(bytes)
  const tokenCount = view.getUint16(2)
  const flags = view.getUint8(1)
  if (view.getUint8(0) !== OUTPUT || (flags & ~SEALED) !== 0) return undefined
  const sealed = (flags & SEALED) !== 0
  if (!sealed && FRAME_HEADER_BYTES + tokenCount * 4 > bytes.byteLength) return undefined
  return { jobId: readJobId(view), sequence: view.getUint32(4), tokenCount, sealed }
}

/** A whole received frame, or undefined if it is malformed or sealed. Never throws. */
export function decodeFrame(bytes: ArrayBuffer | Uint8Array): Frame | undefined {
  const header = readFrameHeader(bytes)
  if (header === undefined || header.sealed) return undefined
  const view = viewOf(bytes)
  const tokenIds = Array.from({ length: header.tokenCount }, (_, index) =>
    view.getUint32(FRAME_HEADER_BYTES + index * 4),
  )
  const textOffset = FRAME_HEADER_BYTES + header.tokenCount * 4
  try {
    const text = decoder.decode(
      new Uint8Array(view.buffer, view.byteOffset + textOffset, view.byteLength - textOffset),
    )
    return { jobId: header.jobId, sequence: header.sequence, tokenIds, text }
  } catch {
    return undefined
  }
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
