import { FatalError } from '../exit-codes.ts'

/** What the doctor found about one thing. */
export interface Check {
  readonly name: string
  /** `warn`: it works, but not as it could. `fail`: it keeps this Host from working. */
  readonly state: 'ok' | 'warn' | 'fail'
  readonly detail: string
  /** What to do about it. */
  readonly fix?: string
}

export function ok(name: string, detail: string): Check {
  return { name, state: 'ok', detail }
}

export function warn(name: string, detail: string, fix: string): Check {
  return { name, state: 'warn', detail, fix }
}

export function fail(name: string, detail: string, fix: string): Check {
  return { name, state: 'fail', detail, fix }
}

/** A failed check, from a message of this program: the problem, a semicolon, and the remedy. */
export function failWith(name: string, message: string, standardFix = 'look at it by hand'): Check {
  const [detail = '', ...fixes] = message.split('; ')
  return fail(name, detail, fixes.length === 0 ? standardFix : fixes.join('; '))
}

/** The check of something that throws. */
export function failed(name: string, error: unknown): Check {
  if (error instanceof FatalError) return failWith(name, error.message)
  const message = error instanceof Error ? error.message : 'an unknown error'
  return failWith(name, message, 'this is a fault of daisi-host: please report it')
}

/** Checks that are made one after the other, but together end in time. None of them throws. */
export async function withinTime(
  name: string,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  const signal = AbortSignal.timeout(timeoutMs)
  const late = new Promise<readonly Check[]>((resolve) => {
    signal.addEventListener(
      'abort',
      () =>
        resolve([
          fail(
            name,
            `no result after ${timeoutMs / 1000} s`,
            'try again; if it stays so, look at it by hand',
          ),
        ]),
      { once: true },
    )
  })
  try {
    return await Promise.race([work(signal), late])
  } catch (error) {
    return signal.aborted ? await late : [failed(name, error)]
  }
}
