/** How e-mail leaves the Orc. */
export type EmailSettings =
  | { readonly kind: 'off' }
  | { readonly kind: 'console' }
  | {
      readonly kind: 'http'
      readonly endpoint: string
      readonly from: string
      readonly token: string | undefined
    }

/** Parses `LOGIN_EMAIL`, `EMAIL_ENDPOINT`, `EMAIL_FROM` and `EMAIL_TOKEN`. Throws with what is wrong; the reason holds no secret. */
export function readEmailSettings(env: Env): EmailSettings {
  switch (env.LOGIN_EMAIL) {
    case 'off':
      return { kind: 'off' }
    case 'console':
      return { kind: 'console' }
    case 'http': {
      const { EMAIL_ENDPOINT: endpoint, EMAIL_FROM: from, EMAIL_TOKEN: token } = env
      if (!isPrivateWay(endpoint)) {
        throw new Error('EMAIL_ENDPOINT must be an https address, or an http one on this machine')
      }
      if (from === '') throw new Error('EMAIL_FROM must be the address that login codes come from')
      return { kind: 'http', endpoint, from, token }
    }
    default:
      throw new Error('LOGIN_EMAIL must be "off", "console" or "http"')
  }
}

// Codes and the token travel this way.
function isPrivateWay(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false
  const { protocol, hostname } = new URL(endpoint)
  return (
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
  )
}
