/** Loopback, private (RFC 1918, RFC 4193) and link-local (RFC 3927, RFC 4291) addresses. */
const INSIDE = [
  '127.0.0.0/8',
  '::1/128',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7',
  '169.254.0.0/16',
  'fe80::/10',
]

/** What the Worker of a private Orc is told: callers from inside only, accounts by invitation only. */
export const PRIVATE_VARS: Readonly<Record<string, string>> = {
  ALLOWED_ADDRESSES: INSIDE.join(','),
  SIGN_UP: 'invited',
}

/** What an Orc may contact that is not private: workerd's word for every address that is not inside. */
export const PUBLIC_ADDRESSES: readonly string[] = ['public']
