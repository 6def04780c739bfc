/** A value of a CSV line. */
export type CsvCell = string | number | null

/** First characters by which spreadsheets take a text for a formula. */
const FORMULA = /^[=+\-@\t\r\n]/

/**
 * One line of CSV with its line end (RFC 4180). A text that a spreadsheet would calculate gets an apostrophe in front,
 * which spreadsheets show as plain text; numbers stay numbers.
 */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(cell: CsvCell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const text = FORMULA.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
