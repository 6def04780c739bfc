/** Text from elsewhere, fit for a terminal or a log: control and formatting characters, which can move the cursor or turn the text around, become `?`. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
}
