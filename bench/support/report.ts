/** Prints a markdown table with a title on stdout. */
export function printTable(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
  const rule = `|${columns.map((_, index) => (index === 0 ? ' --- |' : ' ---: |')).join('')}`
  print(['', `### ${title}`, '', line(columns), rule, ...rows.map(line)].join('\n'))
}

/** Prints what belongs to a table, as a paragraph of its own. */
export function printNote(text: string): void {
  print(`\n${text}`)
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Tells on stderr what is going on. */
export function progress(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`)
}

export function fixed(value: number, digits = 2): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}

/** A number with its thousands apart. */
export function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–'
}

export function verdict(met: boolean): string {
  return met ? 'met' : 'not met'
}
