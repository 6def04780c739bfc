/** Every credential that an Orc mints looks like this; see `orc-worker/src/domain/credential.ts`. */
const CREDENTIAL = /daisi_(?:sk|bt|at|et|ni|ht|dc|lf|ls|setup)_[A-Za-z0-9_-]{24,}/g
/** Nothing shorter is looked for as it stands. */
const MIN_PLAIN = 20
/** How much of a find is shown: enough to recognise, too little to use. */
const SHOWN = 14

/** Parts of every prompt and answer of the fuzzer. No log may have them. */
export const PROMPT_MARK = 'zqprompt7q'
export const ANSWER_MARK = 'zqanswer7q'

/** Everything secret that the fuzzer knows, and where it may not stand. */
export class SecretWatch {
  readonly #minted = new Set<string>()
  readonly #plain = new Set<string>()

  /** Something that must never be seen again. */
  add(secret: string): void {
    if (new RegExp(`^${CREDENTIAL.source}$`).test(secret)) this.#minted.add(secret)
    else if (secret.length >= MIN_PLAIN) this.#plain.add(secret)
    else throw new Error('too short to be looked for')
  }

  /** Takes note of the credentials that an answer gives out, which it does once. */
  learn(text: string): void {
    for (const [credential] of text.matchAll(CREDENTIAL)) this.#minted.add(credential)
  }

  /** What an answer must not have: any known secret but those that the request itself shows in its address or body. */
  inAnswer(answer: string, shownByRequest: string): string[] {
    const known = [...answer.matchAll(CREDENTIAL)]
      .map(([found]) => found)
      .filter((found) => this.#minted.has(found))
    const plain = [...this.#plain].filter((secret) => answer.includes(secret))
    return [...known, ...plain].filter((secret) => !shownByRequest.includes(secret)).map(abbreviated)
  }

  /** What a line of a log must not have: any credential, known or not, any secret, any prompt or answer. */
  inLog(line: string): string[] {
    const credentials = [...line.matchAll(CREDENTIAL)].map(([found]) => found)
    const plain = [...this.#plain].filter((secret) => line.includes(secret))
    const texts = [PROMPT_MARK, ANSWER_MARK].filter((mark) => line.includes(mark))
    return [...credentials, ...plain, ...texts].map(abbreviated)
  }
}

function abbreviated(secret: string): string {
  return `${secret.slice(0, SHOWN)}…`
}
