import { EMAIL, emailStub } from './email-stub.ts'
import { GITHUB, githubStub } from './github-stub.ts'

const email = emailStub()
const github = githubStub()

/** All that the Worker reaches outside, by real requests that workerd hands to Node. Whatever is not here is not there. */
export function outside(request: Request): Promise<Response> | Response {
  switch (new URL(request.url).origin) {
    case GITHUB.url:
    case GITHUB.apiUrl:
      return github(request)
    case EMAIL.origin:
      return email(request)
    default:
      return new Response('nothing outside has this address', { status: 502 })
  }
}
