/** Address of the stand-in for an e-mail service, and what it lets in. */
export const EMAIL = {
  origin: 'https://mail.test',
  endpoint: 'https://mail.test/send',
  from: 'orc@mail.test',
  token: 'token-of-the-tests',
} as const

/** One message as the service was given it. */
export interface SentMail {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Takes messages by `POST /send`, and tells by `GET /sent?to=` which it has taken. Runs in Node, outside workerd. */
export function emailStub(): (request: Request) => Promise<Response> {
  const taken: SentMail[] = []
  return async function answer(request) {
    const url = new URL(request.url)
    switch (`${request.method} ${url.pathname}`) {
      case 'POST /send': {
        if (request.headers.get('authorization') !== `Bearer ${EMAIL.token}`)
          return new Response('forbidden', { status: 403 })
        taken.push(await request.json())
        return new Response(null, { status: 202 })
      }
      case 'GET /sent':
        return Response.json(taken.filter(({ to }) => to === url.searchParams.get('to')))
      case 'POST /moved':
        return new Response(null, { status: 307, headers: { location: EMAIL.endpoint } })
      default:
        return new Response('nothing here', { status: 404 })
    }
  }
}
