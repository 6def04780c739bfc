/** What a compact JWS says, if the Ed25519 key in its own header signed it. */
export interface VerifiedJws {
  readonly type: unknown
  readonly claims: unknown
  /** RFC 7638. */
  readonly thumbprint: string
}

/** Verifies a JWS as a Host does, without the SDK's code. */
export async function verifyJws(jws: string): Promise<VerifiedJws | undefined> {
  const [head = '', payload = '', signature = ''] = jws.split('.')
  const { alg, typ, jwk } = JSON.parse(text(head)) as { alg: string; typ: unknown; jwk: JsonWebKey }
  if (alg !== 'EdDSA' || Object.keys(jwk).toSorted().join() !== 'crv,kty,x') return undefined
  const key = await crypto.subtle.importKey('jwk', jwk, 'Ed25519', false, ['verify'])
  const input = new TextEncoder().encode(`${head}.${payload}`)
  if (!(await crypto.subtle.verify('Ed25519', key, bytes(signature), input))) return undefined
  return { type: typ, claims: JSON.parse(text(payload)), thumbprint: await thumbprintOf(jwk) }
}

/** RFC 7638 thumbprint of an Ed25519 key. */
export async function thumbprintOf({ crv, kty, x }: JsonWebKey): Promise<string> {
  return await digest(JSON.stringify({ crv, kty, x }))
}

/** SHA-256, base64url. */
export async function digest(value: string): Promise<string> {
  return base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(value)))
}

export function base64url(value: ArrayBuffer | string): string {
  return (typeof value === 'string' ? Buffer.from(value) : Buffer.from(value)).toString('base64url')
}

function bytes(value: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(value, 'base64url'))
}

function text(value: string): string {
  return Buffer.from(value, 'base64url').toString()
}
