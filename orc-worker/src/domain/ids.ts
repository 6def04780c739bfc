/** A fresh identifier: the prefix and 128 random bits as 32 hex digits. */
export function newId(
  prefix: 'acc' | 'app' | 'key' | 'job' | 'cmd' | 'req' | 'stl' | 'ano' | 'usr' | 'inv' | 'tok',
): string {
  return `${prefix}_${crypto.randomUUID().replaceAll('-', '')}`
}

/** The operator account. Its id is fixed, so that of two set-ups at once the database lets one through. */
export const OPERATOR_ACCOUNT = 'acc_operator'
