/** The value of a field of a form, as the page has it; empty if there is no such field. */
export function pageField(page: string, name: string): string {
  return new RegExp(`name="${name}"\\s[^>]*?value="([^"]*)"`).exec(page)?.[1] ?? ''
}
