/** GitHub login, as configured. */
export interface GithubSettings {
  readonly clientId: string
  readonly clientSecret: string
  /** Origin of the login pages, without a slash at the end. */
  readonly url: string
  readonly apiUrl: string
}

/** The settings, or undefined if GitHub login is off. Throws with what is wrong and how to set it. */
export function readGithubSettings(env: Env): GithubSettings | undefined {
  if (env.GITHUB_CLIENT_ID === '') return undefined
  if (env.GITHUB_CLIENT_SECRET === undefined || env.GITHUB_CLIENT_SECRET === '') {
    throw new Error(
      'GITHUB_CLIENT_ID needs the secret GITHUB_CLIENT_SECRET beside it; empty both to switch GitHub off',
    )
  }
  return {
    clientId: env.GITHUB_CLIENT_ID,
    clientSecret: env.GITHUB_CLIENT_SECRET,
    url: httpsOrigin('GITHUB_URL', env.GITHUB_URL),
    apiUrl: httpsOrigin('GITHUB_API_URL', env.GITHUB_API_URL),
  }
}

/** An address that a secret may be sent to: encrypted, or on this machine. GitHub Enterprise has its API under a path. */
function httpsOrigin(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && url.hostname === '127.0.0.1')
  if (url === undefined || !safe || url.search !== '' || url.hash !== '') {
    throw new Error(`${name} must be an https:// address without a query`)
  }
  return url.href.replace(/\/$/, '')
}
