/** Length of the longest end of a text that is the beginning of one of the marks. */
export function openLength(text: string, marks: readonly string[]): number {
  const longest = Math.max(0, ...marks.map((mark) => mark.length))
  for (let length = Math.min(text.length, longest - 1); length > 0; length--) {
    const end = text.slice(-length)
    if (marks.some((mark) => mark.startsWith(end))) return length
  }
  return 0
}
