import { ApiError } from './errors.ts'

/**
 * For every request that names a Network which the account may not use, whether there is such a one or not (rule N1). `param` is the
 * field or the part of the path that names it.
 */
export function unusableNetwork(network: string, param: 'network' | 'networks'): ApiError {
  const message = `This account may use no Network ${network}. GET /api/networks lists those that it may.`
  return new ApiError({ code: 'network_not_allowed', message, param })
}
