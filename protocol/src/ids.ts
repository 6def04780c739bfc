import * as z from 'zod'

/** A Host's identity: the RFC 7638 SHA-256 thumbprint of its Ed25519 public key, base64url, 43 characters. */
export const hostId = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be an RFC 7638 SHA-256 thumbprint')
export type HostId = z.infer<typeof hostId>

/** A Job's identity, unique in its Session: `job_` and 128 random bits as 32 lower-case hex digits. */
export const jobId = z.string().regex(/^job_[0-9a-f]{32}$/, 'must be job_ and 32 hex digits')
export type JobId = z.infer<typeof jobId>

/** A Session's identity. */
export const sessionId = z.string().regex(/^ses_[A-Za-z0-9_-]{16,128}$/, 'must be a session id')
export type SessionId = z.infer<typeof sessionId>

/** A queued command's identity, `cmd_` and 32 hex digits. */
export const commandId = z.string().regex(/^cmd_[0-9a-f]{32}$/, 'must be cmd_ and 32 hex digits')
export type CommandId = z.infer<typeof commandId>

/** The name of a Network: lower-case letters, digits and dashes. */
export const networkName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a network name')
export type NetworkName = z.infer<typeof networkName>

/** A Host's public name, such as `calm-heron-3f9a1c`. */
export const hostAlias = z
  .string()
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+){0,7}$/, 'must be the alias of a Host')
  .max(64)

/** SHA-256 of a model file, lower-case hex. Two Hosts that announce the same hash serve the same bytes. */
export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex')

/** Whole tokens or whole credits: a safe integer from zero up. */
export const count = z.int().nonnegative()
