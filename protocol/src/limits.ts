/** Largest HTTP request body that an Orc reads, in bytes (4 MiB). Larger bodies are refused with 413. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024

/** Largest WebSocket message on the Host wire, in bytes. A `run` carries one HTTP body plus a few fixed fields. */
export const MAX_MESSAGE_BYTES = MAX_BODY_BYTES + 64 * 1024

/** Largest stream frame that a Host may send, in bytes. A coalesced frame of 40 ms stays far below it. */
export const MAX_FRAME_BYTES = 64 * 1024

/** Largest `max_tokens` that a request may ask for. */
export const MAX_OUTPUT_TOKENS = 262_144

/** Tokens an answer may have when the caller names no `max_tokens` and the balance covers them. */
export const DEFAULT_OUTPUT_TOKENS = 4_096

/** Most messages in one chat request. */
export const MAX_MESSAGES = 2_048

/** Bytes of a stream that a Host may send before the Orc grants more (flow control, rule F5). */
export const INITIAL_WINDOW_BYTES = 256 * 1024

/** A Host sends the text `ping` this often, in milliseconds, and the Orc answers `pong` without waking its object. */
export const PING_INTERVAL_MS = 15_000

/** Silence after which either side may treat the connection as lost, in milliseconds. */
export const PING_DEADLINE_MS = 45_000
