import { env } from 'cloudflare:workers'
import type { AccountCreated, TransferOffered } from '@daisi/protocol'
import { expect } from 'vitest'
import { directoryStub } from '../../src/objects/stubs.ts'
import { makeGuest, newNetwork } from './networks.ts'
import { call, newAccount, newEnrolment } from './orc.ts'
import { type HostKeys, enrol, newHostKeys } from './test-host.ts'

/** The owner of a private Network, a guest of it, and the guest's Host, which was let in. */
export interface Guests {
  readonly owner: AccountCreated
  readonly guest: AccountCreated
  readonly network: string
  readonly keys: HostKeys
}

/** A fresh scene. Its Host is not connected. */
export async function newGuests(): Promise<Guests> {
  const [owner, guest] = [await newAccount('owner'), await newAccount('guest')]
  const network = await newNetwork(owner)
  await makeGuest(owner, network, guest)
  const keys = await newHostKeys()
  await enrol(keys, (await newEnrolment(guest)).token)
  await letIn({ owner, guest, network, keys })
  return { owner, guest, network, keys }
}

/** The Host asks to serve the Network, and the owner approves. */
export async function letIn({ owner, guest, network, keys }: Guests): Promise<void> {
  const asked = await call('PUT', `/api/hosts/${keys.id}/networks/${network}`, { token: guest.token })
  const approve = `/api/networks/${network}/hosts/${keys.id}/approve`
  const approved = await call('POST', approve, { token: owner.token })
  expect([asked.status, approved.status]).toEqual([200, 204])
}

/** A token with which another account takes the Host over. */
export async function offerOf({ guest, keys }: Guests): Promise<string> {
  const offered = await call('POST', `/api/hosts/${keys.id}/transfer`, { token: guest.token })
  return (await offered.json<TransferOffered>()).token
}

/** True if the Network's directory has the Host. */
export async function isServing({ network, keys }: Guests): Promise<boolean> {
  const serving = await directoryStub(env, network).serving()
  return serving.some(({ hostId }) => hostId === keys.id)
}

/** Where each part of the scene is managed. */
export function path({ network, guest, keys }: Guests) {
  return {
    network: `/api/networks/${network}`,
    guest: `/api/networks/${network}/accounts/${guest.id}`,
    networkHost: `/api/networks/${network}/hosts/${keys.id}`,
    hostNetwork: `/api/hosts/${keys.id}/networks/${network}`,
    host: `/api/hosts/${keys.id}`,
  }
}
