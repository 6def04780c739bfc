import * as z from 'zod'
import { hostId, networkName } from '../ids.ts'

/** CIDR blocks (RFC 4632, RFC 4291 §2.3), for instance `192.168.0.0/16` or `fd00::/8`. Empty: from anywhere. */
const cidrs = z.array(z.string().max(50)).max(64)

/** Body of `POST /api/networks`. Names are never given out twice. */
export const networkRequest = z.object({ name: networkName, cidrs: cidrs.optional() })
/** Body of `PATCH /api/networks/:network`. */
export const networkChange = z.object({ cidrs })

/** A Network as an account sees it. */
export interface NetworkView {
  readonly name: string
  readonly kind: 'public' | 'private'
  /** True if the account owns it, and decides who uses and serves it. */
  readonly owned: boolean
  readonly cidrs: readonly string[]
}
/** Answer of `GET /api/networks`: those that the account may use. */
export interface NetworkList {
  readonly networks: readonly NetworkView[]
}

const SECONDS_A_DAY = 86_400

/** Body of `POST /api/networks/:network/invitations`: lets one account in, or one Host of any account. */
export const networkInvitationRequest = z.object({
  kind: z.enum(['account', 'host']),
  ttl_seconds: z
    .int()
    .min(60)
    .max(30 * SECONDS_A_DAY)
    .optional(),
})
/** Answer: `token` is shown once and works once. `expires_at` in seconds since the epoch. */
export interface NetworkInvitationCreated {
  readonly id: string
  readonly network: string
  readonly kind: 'account' | 'host'
  readonly token: string
  readonly expires_at: number
}
/** Answer of `GET /api/networks/:network/invitations`: those that can still be used. */
export interface NetworkInvitationList {
  readonly invitations: readonly Omit<NetworkInvitationCreated, 'token' | 'network'>[]
}

/** Body of `POST /api/network-invitations/accept`. `host` names the Host for an invitation of kind `host`. */
export const invitationAcceptance = z.object({ token: z.string().min(1).max(256), host: hostId.optional() })
export interface InvitationAccepted {
  readonly network: string
  readonly kind: 'account' | 'host'
}

/** Answer of `GET /api/networks/:network/accounts`: other accounts that may use it. */
export interface NetworkGuests {
  readonly accounts: readonly { readonly id: string; readonly name: string }[]
}

/** A Host in `GET /api/networks/:network/hosts`. `pending` waits to be approved. */
export interface NetworkHost {
  readonly id: string
  readonly alias: string
  readonly name: string
  readonly status: 'pending' | 'active'
}
export interface NetworkHostList {
  readonly hosts: readonly NetworkHost[]
}

/** Answer of `PUT /api/hosts/:host/networks/:network`. */
export interface HostJoined {
  readonly network: string
  readonly status: 'pending' | 'active'
}

/** Answer of `POST /api/hosts/:host/transfer`: whoever shows `token` within the time takes the Host over. */
export interface TransferOffered {
  readonly token: string
  readonly expires_at: number
}
/** Body of `POST /api/host-transfers/accept`. */
export const transferAcceptance = z.object({ token: z.string().min(1).max(256) })
export interface TransferAccepted {
  readonly host: string
}
