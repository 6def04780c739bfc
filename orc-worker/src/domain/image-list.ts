import type { ImageList, ImageUsage } from '@daisi/protocol'
import { imageFormat, resultHead } from './image-result.ts'

/** The most characters that wait here. An image may have five times as many, and many requests share the memory of one Worker. */
const MOST_HELD = 4 * 1024 * 1024

/** A part of a JSON text. */
export interface TextPart {
  /** What is sent, in this order. */
  readonly pieces: readonly string[]
  /** True if it ends where JSON allows a space. */
  readonly mayPause: boolean
}

/**
 * Writes an `ImageList` while its images come. Each image leaves when the next one, or the end, has come, so that what is wrong with
 * a Job for one image is found before anything was sent; large ones leave as they come. The images are base64, as the meter has seen.
 */
export class ImageListText {
  readonly #created: number
  /** Images that are there, and then a beginning of the next one. */
  #whole: string[] = []
  #begun: string[] = []
  #held = 0
  #images = 0
  #isInside = false
  #head = ''

  constructor(created: number) {
    this.#created = created
  }

  /** Images that are there. */
  get images(): number {
    return this.#images
  }

  /** Takes a part of an image; answers what is to be sent now. */
  add(text: string, last: boolean): TextPart | undefined {
    if (this.#images === 0) this.#head = resultHead(this.#head, text)
    if (!this.#isInside) this.#begun.push(this.#images === 0 ? `{"created":${this.#created},"data":[` : ',')
    this.#begun.push(this.#isInside ? text : `{"b64_json":"${text}`)
    this.#held += text.length
    this.#isInside = !last
    if (last) {
      this.#begun.push('"}')
      this.#images++
    }
    if (this.#held > MOST_HELD) return this.#takeAll()
    return last ? this.#takeWhole() : undefined
  }

  /** All that is left, when no more images come. */
  end(usage: ImageUsage): TextPart {
    const format: ImageList['output_format'] = imageFormat(this.#head) ?? 'png'
    const facts: Pick<ImageList, 'usage' | 'output_format'> = { output_format: format, usage }
    const { pieces } = this.#takeAll()
    return { pieces: [...pieces, `],${JSON.stringify(facts).slice(1)}`], mayPause: true }
  }

  #takeWhole(): TextPart | undefined {
    const pieces = this.#whole
    this.#whole = this.#begun
    this.#begun = []
    this.#held = lengthOf(this.#whole)
    return pieces.length === 0 ? undefined : { pieces, mayPause: true }
  }

  #takeAll(): TextPart {
    const pieces = [...this.#whole, ...this.#begun]
    this.#whole = []
    this.#begun = []
    this.#held = 0
    return { pieces, mayPause: !this.#isInside }
  }
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0)
}
