const LEAP_YEAR = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)'
const DAY_OF_MONTH =
  '(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))'
const DATE = `(?:\\d{4}-${DAY_OF_MONTH}|${LEAP_YEAR}-02-29)`
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+\\-](?:[01]\\d|2[0-3]):[0-5]\\d)'

/** At most 40 characters, no hyphen beside another. */
const LABEL = '[A-Za-z0-9]{1,20}(?:-[A-Za-z0-9]{1,9}){0,2}'
const HOSTNAME = `${LABEL}(?:\\.${LABEL}){0,5}`
const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const URI_CHARACTER = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=:@\\/]|%[0-9A-Fa-f]{2})"

const EMAIL = `[A-Za-z0-9_+]{1,20}(?:[.\\-][A-Za-z0-9_+]{1,20}){0,2}@(?:${LABEL}\\.){1,4}[A-Za-z]{2,20}`

/**
 * The formats that are kept, as patterns. All of them are on the narrow side: whatever a validator's idea of the format
 * is, these texts are of it.
 */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ['date', DATE],
  ['time', TIME],
  ['date-time', `${DATE}T${TIME}`],
  ['uuid', '[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}'],
  ['email', EMAIL],
  ['hostname', HOSTNAME],
  ['ipv4', `(?:${BYTE}\\.){3}${BYTE}`],
  ['ipv6', '(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}'],
  [
    'uri',
    `[a-z][a-z0-9+.\\-]{0,15}:\\/\\/${HOSTNAME}(?::[1-9]\\d{0,3})?(?:\\/${URI_CHARACTER}*)?(?:\\?${URI_CHARACTER}*)?(?:#${URI_CHARACTER}*)?`,
  ],
])

/** Patterns in wide use that look ahead, each with one that matches less and does not. */
const NARROWER_PATTERNS: ReadonlyMap<string, string> = new Map([
  [
    "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$",
    `^${EMAIL}$`,
  ],
  [
    '^(?=.{1,253}\\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\\.?$',
    `^${HOSTNAME}$`,
  ],
])

/** The pattern of a format; undefined for a format that says nothing about what is generated. */
export function formatPattern(format: string): string | undefined {
  const pattern = FORMATS.get(format)
  return pattern === undefined ? undefined : `^(?:${pattern})$`
}

/** The pattern, or one that matches less of the same and that a grammar can say. */
export function sayablePattern(pattern: string): string {
  return NARROWER_PATTERNS.get(pattern) ?? pattern
}
