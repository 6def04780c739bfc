/** A token under a grammar takes milliseconds; beside long prompts of others, and on a slow machine, seconds. */
const TOKEN_DEADLINE_MS = 120_000

/**
 * Waits for a token and ends this process if it takes forever: a grammar can be readable and still make llama.cpp try more
 * ways to go on than there is time for, and nothing can interrupt that. The agent starts the process again.
 */
export async function guarded<Result>(
  token: Promise<Result>,
  deadlineMs = TOKEN_DEADLINE_MS,
  bite = (): void => void process.kill(process.pid, 'SIGKILL'),
): Promise<Result> {
  const timer = setTimeout(bite, deadlineMs)
  try {
    return await token
  } finally {
    clearTimeout(timer)
  }
}
