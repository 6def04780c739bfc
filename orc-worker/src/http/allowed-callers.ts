import { readConfig } from '../config.ts'
import { isOpenTo } from '../domain/cidr.ts'
import { isNamed } from '../domain/host-name.ts'
import { clientAddress } from './client-address.ts'
import type { AppContext } from './context.ts'
import { ApiError } from './errors.ts'

/**
 * In front of everything: who calls from outside the addresses that this Orc speaks to at all (`ALLOWED_ADDRESSES`), or
 * under a name that is none of its own (`ALLOWED_HOSTS`), is turned away. A foreign name is a request that was meant for
 * somebody else (RFC 9110 §7.4): a Host's proof that is passed on, or a page whose name was pointed at this Orc.
 */
export async function admitCaller(c: AppContext, next: () => Promise<void>): Promise<void> {
  const { allowedAddresses, allowedHosts } = await readConfig(c.env)
  if (!isOpenTo(allowedAddresses, clientAddress(c.req.raw))) {
    const message = 'This Orc does not speak to your address. Connect from its own network.'
    throw new ApiError({ code: 'forbidden', message })
  }
  if (allowedHosts.length > 0 && !isNamed(new URL(c.req.url), allowedHosts)) {
    const message =
      'This Orc does not go by that name or port. Use an address that it prints at its start; if its operator means it to ' +
      'have this one too, they start daisi-orc with --public-name.'
    throw new ApiError({ code: 'misdirected_request', message, param: 'Host' })
  }
  await next()
}
