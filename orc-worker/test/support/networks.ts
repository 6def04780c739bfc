import type { AccountCreated, NetworkInvitationCreated } from '@daisi/protocol'
import { call } from './orc.ts'

let names = 0

/** A private Network of this account, under a name that no other test uses. */
export async function newNetwork(owner: AccountCreated, body: Record<string, unknown> = {}): Promise<string> {
  const name = `net-${++names}`
  const response = await call('POST', '/api/networks', { token: owner.token, body: { name, ...body } })
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return name
}

/** A token into a Network. */
export async function invite(
  owner: AccountCreated,
  network: string,
  kind: 'account' | 'host',
): Promise<string> {
  const options = { token: owner.token, body: { kind } }
  const response = await call('POST', `/api/networks/${network}/invitations`, options)
  return (await response.json<NetworkInvitationCreated>()).token
}

/** Uses a token, for the account or for a Host of it. */
export function accept(account: AccountCreated, token: string, host?: string): Promise<Response> {
  const body = { token, ...(host === undefined ? {} : { host }) }
  return call('POST', '/api/network-invitations/accept', { token: account.token, body })
}

/** An account that was let into a Network. */
export async function makeGuest(
  owner: AccountCreated,
  network: string,
  guest: AccountCreated,
): Promise<void> {
  const response = await accept(guest, await invite(owner, network, 'account'))
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
}
