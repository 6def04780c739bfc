import { invalidArgument } from './error.ts'

/** The address up to and with `/v1`, from a base URL with or without `/v1` and slashes. */
export function apiRoot(baseURL: string): string {
  let url: URL
  try {
    url = new URL(baseURL)
  } catch (cause) {
    throw invalidArgument(
      'baseURL',
      "baseURL must be an Orc's address, like https://orc.example.com/v1",
      cause,
    )
  }
  if (!/^https?:$/.test(url.protocol))
    throw invalidArgument('baseURL', 'baseURL must begin with https:// or http://')
  if (url.username !== '' || url.password !== '')
    throw invalidArgument('baseURL', 'baseURL must not hold a password')
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1`
}

/** An id as one segment of a path. */
export function pathSegment(id: string): string {
  if (/^\.{0,2}$/.test(id)) throw invalidArgument('id', 'an id is required')
  return encodeURIComponent(id)
}
