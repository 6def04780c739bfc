/** Finds the end of a JSON object whose text comes in pieces, looking at each character once, however many pieces there are. */
export class JsonEnd {
  #depth = 0
  #isInString = false
  #isEscaped = false
  #isReached = false

  /** True once every bracket that was opened is closed. What is no JSON may seem whole, but never holds anything up for longer. */
  get isReached(): boolean {
    return this.#isReached
  }

  add(text: string): void {
    for (const character of text) {
      if (this.#isInString) this.#inString(character)
      else if (character === '"') this.#isInString = true
      else if (character === '{' || character === '[') this.#depth++
      else if (character === '}' || character === ']') this.#isReached ||= --this.#depth <= 0
    }
  }

  #inString(character: string): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (character === '\\') this.#isEscaped = true
    else if (character === '"') this.#isInString = false
  }
}
