/**
 * Version of the Host wire. Rises by one whenever a schema in `src/host` changes its meaning; `version.test.ts` hashes
 * the schemas and fails when one changes without the other.
 *
 * History: 1 first public version. 2 Direct Connections: `hello.direct`, `direct-report`, `direct-noted`, `direct-revoked`, and the
 * claims `cnf` and `model`; a Host that offers none sees nothing of them.
 */
export const PROTOCOL_VERSION = 2

/** The oldest Host wire version that this Orc still speaks. A Host below it is closed with `CloseCode.VersionTooOld`. */
export const MINIMUM_PROTOCOL_VERSION = 1

/** WebSocket subprotocol (RFC 6455 §1.9) offered by a Host and echoed by the Orc. */
export const HOST_SUBPROTOCOL = 'daisi-host.v1'
