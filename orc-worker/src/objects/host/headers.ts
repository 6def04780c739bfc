// Internal requests from the Worker to a HostConnection. They never leave the Orc: the Worker builds them afresh and
// copies nothing from the outside.

/** Who the Host is, as JSON of `HostIdentity`. */
export const HOST_IDENTITY_HEADER = 'daisi-internal-host'
/** The nonce that its proof answered. */
export const HOST_NONCE_HEADER = 'daisi-internal-nonce'
/** The generation of the Host's rights that `HostIdentity` was read after, in decimal. */
export const HOST_GENERATION_HEADER = 'daisi-internal-generation'
/** Which Job a relay is for, as JSON of `RelayRequest`. */
export const RELAY_REQUEST_HEADER = 'daisi-internal-relay'
