/**
 * Version of the Host wire. Rises by one whenever a schema in `src/host` changes its meaning; `version.test.ts` hashes
 * the schemas and fails when one changes without the other.
 *
 * History: 1 first public version. 2 Direct Connections: `hello.direct`, `direct-report`, `direct-noted`, `direct-revoked`, and the
 * claims `cnf` and `model`; a Host that offers none sees nothing of them. 3 several models with their states, `models`,
 * owner's `settings`, versions in `welcome`, the claim `own`; all sampling parameters optional; formats, logprobs and results
 * that are not text; kinds `embedding`, `ranking` and `image`. 4 tools, reasoning, images in conversations, `countOnly`, kind `completion`, frames of parts, tokens
 * as input, `refused.field`; what an embedding costs stands in its results.
 */
export const PROTOCOL_VERSION = 4

/** The oldest Host wire version that this Orc still speaks. A Host below it is closed with `CloseCode.VersionTooOld`. */
export const MINIMUM_PROTOCOL_VERSION = 4

/** WebSocket subprotocol (RFC 6455 §1.9) offered by a Host and echoed by the Orc. */
export const HOST_SUBPROTOCOL = 'daisi-host.v1'
