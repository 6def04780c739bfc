/** The claims of a JWS in compact form, unverified. */
export function claimsOf(jws: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'))
}

/** The text, and the header and claims of every JWS in it in plain words. */
export function withTokensDecoded(text: string): string {
  const decoded = compactTokens(text).flatMap((jws) =>
    jws
      .split('.')
      .slice(0, 2)
      .map((part) => Buffer.from(part, 'base64url').toString('latin1')),
  )
  return [text, ...decoded].join('\n')
}

/** Every JWS in compact form in a text. */
export function compactTokens(text: string): string[] {
  return [...text.matchAll(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g)].map(([jws]) => jws)
}
