import { base64UrlEncode } from '../../src/domain/base64url.ts'

const encoder = new TextEncoder()

/** A JSON value, or a text that is to be taken as it is, in base64url. */
export function encoded(value: unknown): string {
  return base64UrlEncode(encoder.encode(typeof value === 'string' ? value : JSON.stringify(value)))
}

/** Ed25519 over the signing input (RFC 7515 §5.1). */
export async function ed25519(input: string, key: CryptoKey): Promise<string> {
  return base64UrlEncode(new Uint8Array(await crypto.subtle.sign('Ed25519', key, encoder.encode(input))))
}

/** HMAC-SHA256 with these bytes as its secret, as who confuses algorithms takes a public key for one. */
export async function hs256(input: string, secret: string): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign'])
  return base64UrlEncode(new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(input))))
}

/** A genuine token, and what it is made of, so that it can be taken apart. No library stands between. */
export interface Genuine {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly key: CryptoKey
  /** The `x` of the public key. */
  readonly x: string
}

/** A compact JWS of exactly this header and these claims. */
export async function compact(header: unknown, claims: unknown, key: CryptoKey): Promise<string> {
  const input = `${encoded(header)}.${encoded(claims)}`
  return `${input}.${await ed25519(input, key)}`
}

/** What attackers make of a genuine token. `stranger` is a key of theirs. */
export async function forgeries(
  { header, claims, key, x }: Genuine,
  stranger: { readonly key: CryptoKey; readonly jwk: object },
): Promise<[string, string][]> {
  const genuine = await compact(header, claims, key)
  const [head = '', body = '', signature = ''] = genuine.split('.')
  const unsigned = `${encoded({ ...header, alg: 'none' })}.${body}`
  const confused = `${encoded({ ...header, alg: 'HS256' })}.${body}`
  const withHeader = (more: object): Promise<string> => compact({ ...header, ...more }, claims, key)
  const byStranger = (more: object = {}): Promise<string> =>
    compact({ ...header, ...more }, claims, stranger.key)
  return [
    ['alg none without a signature', `${unsigned}.`],
    ['alg none with the genuine signature', `${unsigned}.${signature}`],
    ['alg nOnE', `${encoded({ ...header, alg: 'nOnE' })}.${body}.`],
    ['HS256 with the public key as the secret', `${confused}.${await hs256(confused, x)}`],
    [
      'HS256 with the public key as JSON',
      `${confused}.${await hs256(confused, JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x }))}`,
    ],
    ['alg RS256', await withHeader({ alg: 'RS256' })],
    ['no alg', await withHeader({ alg: undefined })],
    ['another typ', await withHeader({ typ: 'JWT' })],
    ['no typ', await withHeader({ typ: undefined })],
    ['signed by a stranger', await byStranger()],
    ['signed by a stranger who brings jku', await byStranger({ jku: 'https://evil.example/jwks.json' })],
    ['signed by a stranger who brings x5c', await byStranger({ x5c: ['MIIB'] })],
    ['signed by a stranger under a kid that is a path', await byStranger({ kid: '../../../dev/null' })],
    ['a crit that nobody knows', await withHeader({ crit: ['b64'], b64: false })],
    ['a crit of its own', await withHeader({ crit: ['exp'] })],
    ['the claims changed', `${head}.${encoded({ ...claims, admin: true })}.${signature}`],
    ['the header changed', `${encoded({ ...header, extra: 1 })}.${body}.${signature}`],
    ['the signature cut', `${head}.${body}.${signature.slice(0, -2)}`],
    [
      'the signature of another token',
      await compact(header, { ...claims, other: 1 }, key).then(
        (other) => `${head}.${body}.${other.split('.')[2]}`,
      ),
    ],
    ['claims that are no object', await compact(header, '"x"', key)],
    ['claims that are a list', await compact(header, [claims], key)],
    ['a part too many', `${genuine}.x`],
    ['a part too few', `${head}.${body}`],
    ['padding', `${genuine}=`],
    ['white space', ` ${genuine}`],
    ['nothing', ''],
  ]
}
