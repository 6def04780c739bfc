import type {
  HostJoined,
  InvitationAccepted,
  NetworkGuests,
  NetworkHostList,
  NetworkInvitationCreated,
  NetworkInvitationList,
  NetworkList,
  NetworkView,
  TransferAccepted,
  TransferOffered,
} from '@daisi/protocol'
import * as z from 'zod'

const kind = z.enum(['account', 'host'])
const status = z.enum(['pending', 'active'])
const text = z.string()
const seconds = z.int()

export const networkView = z.object({
  name: text,
  kind: z.enum(['public', 'private']),
  owned: z.boolean(),
  cidrs: z.array(text),
}) satisfies z.ZodType<NetworkView>

export const networkList = z.object({ networks: z.array(networkView) }) satisfies z.ZodType<NetworkList>

export const networkGuests = z.object({
  accounts: z.array(z.object({ id: text, name: text })),
}) satisfies z.ZodType<NetworkGuests>

export const networkHostList = z.object({
  hosts: z.array(z.object({ id: text, alias: text, name: text, status })),
}) satisfies z.ZodType<NetworkHostList>

export const networkInvitationCreated = z.object({
  id: text,
  network: text,
  kind,
  token: text,
  expires_at: seconds,
}) satisfies z.ZodType<NetworkInvitationCreated>

export const networkInvitationList = z.object({
  invitations: z.array(z.object({ id: text, kind, expires_at: seconds })),
}) satisfies z.ZodType<NetworkInvitationList>

export const invitationAccepted = z.object({ network: text, kind }) satisfies z.ZodType<InvitationAccepted>

export const hostJoined = z.object({ network: text, status }) satisfies z.ZodType<HostJoined>

export const transferOffered = z.object({
  token: text,
  expires_at: seconds,
}) satisfies z.ZodType<TransferOffered>

export const transferAccepted = z.object({ host: text }) satisfies z.ZodType<TransferAccepted>
