import { readConfig } from '../config.ts'
import { isWithin } from '../domain/cidr.ts'
import { clientAddress } from './client-address.ts'
import type { AppContext } from './context.ts'
import { ApiError } from './errors.ts'

/** Turns away who comes from outside the addresses that this Orc speaks to at all (`ALLOWED_ADDRESSES`), before anything else. */
export async function admitAddress(c: AppContext, next: () => Promise<void>): Promise<void> {
  const { allowedAddresses } = await readConfig(c.env)
  if (allowedAddresses.length > 0) {
    const address = clientAddress(c.req.raw)
    if (address === undefined || !isWithin(address, allowedAddresses)) {
      const message = 'This Orc does not speak to your address. Connect from its own network.'
      throw new ApiError({ code: 'forbidden', message })
    }
  }
  await next()
}
