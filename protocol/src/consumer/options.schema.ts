import * as z from 'zod'
import { hostAlias, networkName } from '../ids.ts'
import type { RequestOptions } from './options.ts'

/** Longest wait for a Host, in seconds. */
const MAX_WAIT_SECONDS = 120
const MAX_EXCLUDED_HOSTS = 16

/** The field `daisi` of a body. Strict: an option that is misspelt would be ignored. */
export const requestOptions = z.strictObject({
  network: networkName.optional(),
  host: hostAlias.optional(),
  exclude_hosts: z.array(hostAlias).max(MAX_EXCLUDED_HOSTS, 'has at most 16 aliases').optional(),
  wait: z
    .number()
    .min(0, 'must be seconds from 0 to 120')
    .max(MAX_WAIT_SECONDS, 'must be seconds from 0 to 120')
    .optional(),
  mode: z
    .literal(
      'orchestrated',
      'must be orchestrated. For Direct Connections open a Session of mode direct with POST /v1/sessions',
    )
    .optional(),
  session: z.string().min(1).max(256).optional(),
}) satisfies z.ZodType<RequestOptions>

/** The header that says the same as each option. */
export const optionHeaders = {
  network: 'Daisi-Network',
  host: 'Daisi-Host',
  exclude_hosts: 'Daisi-Exclude-Hosts',
  wait: 'Daisi-Wait',
  mode: 'Daisi-Mode',
  session: 'Daisi-Session',
} as const satisfies Record<keyof RequestOptions, string>
