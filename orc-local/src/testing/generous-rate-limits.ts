const GENEROUS = { perMinute: 1_000_000_000, burst: 1_000_000_000 }

/** `RATE_LIMITS` for an Orc whose every caller has one address and one account: all are counted and none is refused. */
export const GENEROUS_RATE_LIMITS = JSON.stringify({
  login: GENEROUS,
  device_authorization: GENEROUS,
  device_token: GENEROUS,
  host_wire: GENEROUS,
  failed_credential: GENEROUS,
  anonymous_read: GENEROUS,
  management: GENEROUS,
  key: GENEROUS,
  account: GENEROUS,
  host_messages: GENEROUS,
  host_words: GENEROUS,
  host_frames: GENEROUS,
})
