/** Where a connection to an Orc stands. */
export type LinkState = 'idle' | 'preparing' | 'opening' | 'greeting' | 'online' | 'waiting' | 'stopped'

/** What moves it. */
export type LinkEvent = 'attempt' | 'prepared' | 'opened' | 'welcomed' | 'lost' | 'stop'

/** The whole machine. An event that cannot happen in a state is `never`. */
const TABLE: Readonly<Record<LinkState, Readonly<Record<LinkEvent, LinkState | 'never'>>>> = {
  idle: {
    attempt: 'preparing',
    prepared: 'never',
    opened: 'never',
    welcomed: 'never',
    lost: 'never',
    stop: 'stopped',
  },
  /** Discovery, enrolment and challenge. */
  preparing: {
    attempt: 'never',
    prepared: 'opening',
    opened: 'never',
    welcomed: 'never',
    lost: 'waiting',
    stop: 'stopped',
  },
  /** The upgrade is on its way. */
  opening: {
    attempt: 'never',
    prepared: 'never',
    opened: 'greeting',
    welcomed: 'never',
    lost: 'waiting',
    stop: 'stopped',
  },
  /** `hello` is sent. */
  greeting: {
    attempt: 'never',
    prepared: 'never',
    opened: 'never',
    welcomed: 'online',
    lost: 'waiting',
    stop: 'stopped',
  },
  online: {
    attempt: 'never',
    prepared: 'never',
    opened: 'never',
    welcomed: 'never',
    lost: 'waiting',
    stop: 'stopped',
  },
  /** Until the next attempt (C7). */
  waiting: {
    attempt: 'preparing',
    prepared: 'never',
    opened: 'never',
    welcomed: 'never',
    lost: 'never',
    stop: 'stopped',
  },
  stopped: {
    attempt: 'never',
    prepared: 'never',
    opened: 'never',
    welcomed: 'never',
    lost: 'never',
    stop: 'stopped',
  },
}

/** The state after an event. Throws for one that cannot happen: that is a bug. */
export function nextLinkState(state: LinkState, event: LinkEvent): LinkState {
  const next = TABLE[state][event]
  if (next === 'never') throw new Error(`${event} cannot happen while ${state}`)
  return next
}
