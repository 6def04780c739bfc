import { createHash, randomBytes } from 'node:crypto'

/** Addresses of the stand-in for GitHub, and what it knows of the Orc that the tests run. */
export const GITHUB = {
  url: 'https://github.test',
  apiUrl: 'https://api.github.test',
  clientId: 'Iv1.client-of-the-tests',
  clientSecret: 'secret-of-the-tests',
  callback: 'https://orc.test/login/github/callback',
} as const

/** Who is logged in at GitHub, and how GitHub behaves. Tests hand it over as `login`, the name that GitHub's form is filled with. */
export interface GithubScene {
  readonly user?: { id: number; login: string; name: string | null }
  readonly emails?: readonly { email: string; primary: boolean; verified: boolean }[]
  /** Presses "Cancel". */
  readonly denies?: boolean
  /** How a step answers in place of what it should. */
  readonly faults?: Partial<Record<'access_token' | 'user' | 'emails', 'down' | 'moved' | 'html' | 'odd'>>
}

interface IssuedCode {
  readonly challenge: string
  readonly redirectUri: string
  readonly scene: GithubScene
}

/** GitHub's side of the authorization code grant with PKCE, as strict as GitHub is or stricter. Runs in Node, outside workerd. */
export function githubStub(): (request: Request) => Promise<Response> {
  const codes = new Map<string, IssuedCode>()
  const tokens = new Map<string, GithubScene>()
  return async function answer(request) {
    const url = new URL(request.url)
    switch (`${request.method} ${url.origin}${url.pathname}`) {
      case `GET ${GITHUB.url}/login/oauth/authorize`:
        return authorize(url.searchParams, codes)
      case `POST ${GITHUB.url}/login/oauth/access_token`:
        return exchange(new URLSearchParams(await request.text()), codes, tokens)
      case `GET ${GITHUB.apiUrl}/user`:
        return read(request, tokens, 'user')
      case `GET ${GITHUB.apiUrl}/user/emails`:
        return read(request, tokens, 'emails')
      // Where answers that moved lead: whoever goes there is told another story.
      case `GET ${GITHUB.apiUrl}/elsewhere/user`:
        return Response.json({ id: 1, login: 'elsewhere', name: null })
      case `GET ${GITHUB.apiUrl}/elsewhere/emails`:
        return Response.json([])
      default:
        return new Response('nothing here', { status: 404 })
    }
  }
}

function authorize(query: URLSearchParams, codes: Map<string, IssuedCode>): Response {
  const challenge = query.get('code_challenge') ?? ''
  const sound =
    query.get('client_id') === GITHUB.clientId &&
    query.get('response_type') === 'code' &&
    query.get('redirect_uri') === GITHUB.callback &&
    query.get('code_challenge_method') === 'S256' &&
    /^[A-Za-z0-9_-]{43}$/.test(challenge)
  if (!sound) return new Response('bad authorization request', { status: 400 })
  const scene: GithubScene = JSON.parse(query.get('login') ?? '{}')
  const back = new URL(GITHUB.callback)
  if (scene.denies === true) back.searchParams.set('error', 'access_denied')
  else {
    const code = randomBytes(10).toString('hex')
    codes.set(code, { challenge, redirectUri: GITHUB.callback, scene })
    back.searchParams.set('code', code)
  }
  back.searchParams.set('state', query.get('state') ?? '')
  return new Response(null, { status: 302, headers: { location: back.href } })
}

function exchange(
  form: URLSearchParams,
  codes: Map<string, IssuedCode>,
  tokens: Map<string, GithubScene>,
): Response {
  const code = codes.get(form.get('code') ?? '')
  codes.delete(form.get('code') ?? '')
  const knowsUs =
    form.get('client_id') === GITHUB.clientId && form.get('client_secret') === GITHUB.clientSecret
  // GitHub says so with 200.
  if (!knowsUs) return Response.json({ error: 'incorrect_client_credentials' })
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url')
  if (code?.challenge !== challenge || form.get('redirect_uri') !== code.redirectUri)
    return Response.json({ error: 'bad_verification_code' })
  const fault = code.scene.faults?.access_token
  if (fault !== undefined) return misbehave(fault, 'access_token')
  const token = `gho_${randomBytes(18).toString('hex')}`
  tokens.set(token, code.scene)
  return Response.json({ access_token: token, token_type: 'bearer', scope: 'user:email' })
}

function read(request: Request, tokens: Map<string, GithubScene>, step: 'user' | 'emails'): Response {
  const scene = tokens.get(request.headers.get('authorization')?.replace(/^Bearer /, '') ?? '')
  if (scene === undefined) return Response.json({ message: 'Bad credentials' }, { status: 401 })
  // GitHub refuses who does not say what they are.
  if (request.headers.get('user-agent') === null) return new Response('forbidden', { status: 403 })
  const fault = scene.faults?.[step]
  return fault === undefined ? Response.json(scene[step]) : misbehave(fault, step)
}

function misbehave(fault: 'down' | 'moved' | 'html' | 'odd', step: string): Response {
  switch (fault) {
    case 'down':
      return new Response('unavailable', { status: 503 })
    case 'moved':
      return new Response(null, { status: 302, headers: { location: `${GITHUB.apiUrl}/elsewhere/${step}` } })
    case 'html':
      return new Response('<h1>Unicorn</h1>', { headers: { 'content-type': 'text/html' } })
    case 'odd':
      return Response.json({ surprise: true })
  }
}
