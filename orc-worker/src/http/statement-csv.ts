import type { StatementEntry } from '@daisi/protocol'
import { csvLine } from '../domain/csv.ts'

/** Headers of a statement as CSV. */
export const STATEMENT_CSV_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/csv; charset=utf-8; header=present',
  'content-disposition': 'attachment; filename="daisi-statement.csv"',
  vary: 'accept',
}

/** Reads the entries before a place in the statement. */
type ReadSlice = (before: number | undefined) => Promise<{
  readonly entries: readonly StatementEntry[]
  /** Where to go on, undefined at the end. */
  readonly next: number | undefined
}>

/**
 * A statement as CSV, read slice by slice as its reader takes it. The first slice is read before the answer begins, so that
 * a database that is away is still an error; later, the connection breaks rather than the statement ending early.
 */
export async function statementCsv(read: ReadSlice): Promise<ReadableStream<Uint8Array>> {
  const encoder = new TextEncoder()
  const first = await read(undefined)
  const header = csvLine(['time', 'kind', 'amount', 'note', 'id'])
  let { next } = first
  let text = header + first.entries.map(entryLine).join('')
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // A slice may be empty though others follow.
        while (text === '' && next !== undefined) {
          const slice = await read(next)
          text = slice.entries.map(entryLine).join('')
          next = slice.next
        }
        if (text !== '') controller.enqueue(encoder.encode(text))
        text = ''
        if (next === undefined) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}

function entryLine({ created_at, kind, amount, note, id }: StatementEntry): string {
  const time = new Date(created_at * 1_000).toISOString().replace('.000Z', 'Z')
  return csvLine([time, kind, amount, note, id])
}
