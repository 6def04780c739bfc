/** A fresh identifier: the prefix and 128 random bits as 32 hex digits. */
export function newId(prefix: 'acc' | 'app' | 'key' | 'job' | 'cmd' | 'req' | 'stl' | 'ano'): string {
  return `${prefix}_${crypto.randomUUID().replaceAll('-', '')}`
}
