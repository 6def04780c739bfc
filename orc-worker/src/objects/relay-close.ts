/** Why a HostConnection closes a relay before the Job's last message. Seen by the Worker only. */
export const RelayClose = {
  /** The Host's connection ended. */
  HostLost: 4502,
  /** The Job is over; closed after its last message. */
  Done: 1000,
} as const
