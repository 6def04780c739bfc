import * as z from 'zod'

/**
 * An e-mail address as the Orc keeps it: in lower case. Only ASCII, so that no two addresses that are written alike are taken
 * for one; what stands behind a plus belongs to the address.
 */
export const emailAddress = z
  .string()
  .trim()
  .max(254)
  .regex(
    /^(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
    'must be an e-mail address in ASCII characters',
  )
  .toLowerCase()
