import type { ErrorCode } from '@daisi/protocol'
import type { Operation, Operations } from './operation.ts'

const OPEN: readonly ErrorCode[] = ['rate_limited']
const PAGE = { media: 'text/html' }

/** Pages, and the forms on them. */
export const pageOperations: Operations = {
  'GET /docs': page('docsPage', 'Read this description as a page', OPEN),
  'GET /login': page('loginPage', 'Log in, or see who is logged in', OPEN),
  'POST /login/email': form('loginEmailForm', 'Have a code sent', ['email', 'return_to'], OPEN),
  'POST /login/code': form(
    'loginCodeForm',
    'Log in with the code',
    ['code', 'return_to'],
    [...OPEN, 'login_failed'],
  ),
  'POST /login/end': form('loginEndForm', 'Log out', [], OPEN),
  'POST /login/invitation': form('loginInvitationForm', 'Join an account', ['invitation'], ['not_found']),
  'GET /login/github': page(
    'beginGithubLogin',
    'Go to GitHub to log in',
    [...OPEN, 'login_not_configured'],
    302,
  ),
  'GET /login/github/callback': page(
    'finishGithubLogin',
    'Come back from GitHub',
    [...OPEN, 'login_failed'],
    302,
  ),
  'GET /device': page('devicePage', 'Enter the code that a Host shows', OPEN),
  'POST /device': form(
    'deviceForm',
    'Let a Host in, or turn it away',
    ['user_code', 'decision', 'account'],
    [],
  ),
}

function page(id: string, summary: string, codes: readonly ErrorCode[], status = 200): Operation {
  return { id, tag: 'Pages', summary, answer: status === 200 ? PAGE : { status }, codes }
}

function form(
  id: string,
  summary: string,
  fields: readonly string[],
  codes: readonly ErrorCode[],
): Operation {
  return { id, tag: 'Pages', summary, form: fields, answer: { ...PAGE, status: 200 }, codes }
}
