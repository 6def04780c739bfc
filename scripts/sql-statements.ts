/** A statement of an SQL file. */
export interface SqlStatement {
  readonly text: string
  /** Its first three words, in capitals. */
  readonly words: readonly string[]
}

/** A file that ends before its last statement does. */
export class UnfinishedSqlError extends Error {
  constructor() {
    super('it ends in the middle of a statement')
    this.name = 'UnfinishedSqlError'
  }
}

/** What opens a quotation or comment, and what closes it. A doubled quotation mark closes one and opens the next. */
const CLOSERS: Readonly<Record<string, string>> = { "'": "'", '"': '"', '`': '`', '[': ']', '/*': '*/' }

/**
 * Takes an SQL file apart, however large: only one statement is in memory at a time. A semicolon ends a statement unless it
 * stands in a quotation or a comment, or in the body of a trigger, which ends with `; END;`.
 */
export async function* sqlStatements(lines: AsyncIterable<string>): AsyncGenerator<SqlStatement> {
  let text = ''
  let words: string[] = []
  let [beforeLast, last] = ['', '']
  let closer: string | undefined
  for await (const line of lines) {
    let start = 0
    for (const { 0: token, index } of line.matchAll(/--|\/\*|\*\/|\w+|\S/g)) {
      if (closer !== undefined) {
        if (token === closer) closer = undefined
        continue
      }
      if (token === '--') break
      closer = CLOSERS[token]
      if (token === '/*') continue
      const endsBody = beforeLast === ';' && last === 'END'
      if (token === ';' && (endsBody || !isTrigger(words))) {
        yield { text: text + line.slice(start, index + 1), words }
        text = ''
        words = []
        start = index + 1
      }
      ;[beforeLast, last] = [last, token.toUpperCase()]
      if (words.length < 3 && /^\w/.test(token)) words.push(last)
    }
    text += `${line.slice(start)}\n`
  }
  if (words.length > 0) throw new UnfinishedSqlError()
}

function isTrigger(words: readonly string[]): boolean {
  return words[0] === 'CREATE' && (words[1] === 'TRIGGER' || words[2] === 'TRIGGER')
}
