import type { AccountBalance, Quote, QuoteRequest } from '@daisi/protocol/consumer'
import { Daisi } from './daisi.ts'
import type { RequestOptions } from './options.ts'

/**
 * What a request would cost, and which Hosts could serve it. Nothing is generated and nothing charged.
 *
 * @example
 * ```ts
 * const { credits, hosts, servable } = await quote(daisi, { request: { model: 'daisi-nano', messages } })
 * console.log(servable, credits.maximum, hosts.map(({ host }) => host))
 * ```
 */
export async function quote(daisi: Daisi, request: QuoteRequest, options?: RequestOptions): Promise<Quote> {
  const call = { method: 'POST', path: '/quote', body: request, joinsSession: true } as const
  return await Daisi.transportOf(daisi).json(call, 'quote', options)
}

/** What the key's account has. */
export async function balance(daisi: Daisi, options?: RequestOptions): Promise<AccountBalance> {
  return await Daisi.transportOf(daisi).json({ method: 'GET', path: '/balance' }, 'balance', options)
}
