import { directOffer, hostId, jobId, jobKind, networkName, sessionId, sha256Hex } from '@daisi/protocol'
import * as z from 'zod'

// What a socket knows by itself, so that the object may sleep between any two messages. Attachments may have 16,384
// bytes; the largest here stays below 2,000, and below 12,000 where an owner names 64 Networks. They are parsed on reading: an older version of the Worker may have
// written them, so what it did not know has a default.

/** Who a Host is. The Worker verified it before the object was asked. */
export const hostIdentity = z.object({
  hostId,
  accountId: z.string(),
  publicKey: z.string(),
  alias: z.string(),
  /** Where it connects from. */
  address: z.string().optional(),
  /** Networks that it serves over this connection. */
  networks: z.array(networkName).default([]),
  issuer: z.string(),
})
export type HostIdentity = z.infer<typeof hostIdentity>

/** The Host's own socket. */
const hostSocket = z.object({
  kind: z.literal('host'),
  connectionId: z.string(),
  identity: hostIdentity,
  /** True once `hello` came. */
  helloSeen: z.boolean().default(false),
  /** True once it was answered: work may be sent. */
  greeted: z.boolean(),
  /** True once we closed it: nothing that it still says counts. */
  dismissed: z.boolean(),
  /** True if it shall connect again once nothing runs. */
  renewing: z.boolean().default(false),
  connectedAt: z.int(),
  /** The only Networks that its owner wants served. Absent: every one that it may serve. */
  wanted: z.array(networkName).optional(),
  /** Where Consumers may connect to it directly. */
  direct: directOffer.optional(),
  /** Jobs that it may be given by its own last word: free slots, less what it took since; 0 while it takes none. */
  claimedSlots: z.int().default(0),
  /** Jobs in a row that it left although it had claimed slots. */
  untaken: z.int().default(0),
})
export type HostSocket = z.infer<typeof hostSocket>

/** What the Worker asks for when it opens a relay: one Job. */
export const relayRequest = z.object({
  jobId,
  sessionId,
  /** Name of the ConsumerSession to report to. */
  sessionName: z.string(),
  kind: jobKind.default('chat'),
  /** The model, by the name that it was asked for. */
  model: z.string().default(''),
  /** The Network on which it runs. */
  network: networkName.default('public'),
  /** The file that the Job asks for. Absent, any under the model's id will do. */
  modelSha256: sha256Hex.optional(),
  /** Bytes of the prompt, its template not counted. */
  promptBytes: z.int().default(0),
  /** The tokens that the prompt can have at most. */
  promptBound: z.int(),
  /** Tokens that the Host may process, prompt included (rule T4). */
  budget: z.int().default(Number.MAX_SAFE_INTEGER),
  maxTokens: z.int(),
  /** Likely tokens that were asked for beside each. Absent: no probabilities. */
  logprobs: z.int().optional(),
  /** Results that were asked for, where each states its own cost (rule P7), and what one of them can cost at most. */
  results: z.object({ count: z.int(), mostTokens: z.int() }).optional(),
  /** What each result costs, where that is known before (rule P6). */
  tokensPerResult: z.int().optional(),
  /** True if this Job goes on where another Host stopped: its prompt is not charged. */
  resumed: z.boolean().default(false),
})
export type RelayRequest = z.infer<typeof relayRequest>

/** A Job and the Orc's meter of it. */
export const meteredJob = relayRequest.extend({
  connectionId: z.string(),
  identity: hostIdentity,
  /** False until the Host accepted it: nothing is owed before, and the Worker may give it to another Host. */
  accepted: z.boolean(),
  promptTokens: z.int(),
  cachedTokens: z.int(),
  /** Tokens in its frames. */
  sentTokens: z.int(),
  /** Those of them that came with text, or with a result, and can be paid for. */
  deliveredTokens: z.int(),
  /** Bytes of the text that was handed on. */
  textBytes: z.int().default(0),
  /** Of the result of which more is to come: how many characters there were, and the first of them. */
  resultCharacters: z.int().default(0),
  resultHead: z.string().default(''),
  /** Calls of tools that it has named (rule F10). */
  calls: z.int().default(0),
  /** Results that have ended. */
  ended: z.int().default(0),
  nextSequence: z.int(),
  /** Bytes of frames that the Host may still send (rule F5). */
  windowBytes: z.int(),
})
export type MeteredJob = z.infer<typeof meteredJob>

/** The Worker's end of one Job. */
const relaySocket = z.object({
  kind: z.literal('relay'),
  job: meteredJob,
  /** True once the Host's last message on this Job was seen or its loss noted: nothing more is metered. */
  ended: z.boolean(),
  /** When the Job was offered to the Host, in milliseconds since the epoch. */
  offeredAt: z.int().default(0),
})
export type RelaySocket = z.infer<typeof relaySocket>

const attachment = z.discriminatedUnion('kind', [hostSocket, relaySocket])

/** What this socket is. Undefined for one that is not ours or that an incompatible version left behind. */
export function readAttachment(socket: WebSocket): HostSocket | RelaySocket | undefined {
  return attachment.safeParse(socket.deserializeAttachment()).data
}

/** Notes what this socket is now. */
export function writeAttachment(socket: WebSocket, value: HostSocket | RelaySocket): void {
  socket.serializeAttachment(value)
}
