import type { Reading } from './probe.ts'

/** What a machine does not tell is not asked for, and its owner is told so. */
export function unknownInput(): Reading<never> {
  const message =
    'it cannot be seen here whether keyboard and mouse are used, so that noInputMinutes is not kept; run the agent within the desktop session, on X11 with xprintidle installed, or set hours with schedule instead'
  return { value: undefined, problem: { code: 'input_unknown', message } }
}

export function unknownPower(): Reading<never> {
  const message =
    'it cannot be seen here whether the machine is on mains power, so that onPower is not kept; pause the agent on battery'
  return { value: undefined, problem: { code: 'power_unknown', message } }
}

export function unknownGpu(): Reading<never> {
  const message =
    'it cannot be seen here how much others use the GPU, so that gpuBelowPercent is not kept; set it to 100, or set hours with schedule instead'
  return { value: undefined, problem: { code: 'gpu_unknown', message } }
}
