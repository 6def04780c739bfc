import type { EmailSender, LoginCodeMail, SendOutcome } from './email-sender.ts'
import type { EmailSettings } from './email-settings.ts'

/** A service that takes longer counts as one that failed. */
const TIMEOUT_MS = 10_000

/** Hands messages to an HTTP service as JSON: `from`, `to`, `subject`, `text`. Any answer from 200 to 299 means that it has them. */
export function httpSender({ endpoint, from, token }: EmailSettings & { kind: 'http' }): EmailSender {
  return {
    async sendLoginCode(mail): Promise<SendOutcome> {
      const headers = new Headers({ 'content-type': 'application/json' })
      if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
      try {
        const response = await fetch(endpoint, {
          method: 'POST',
          headers,
          body: JSON.stringify({ from, to: mail.email, ...letter(mail) }),
          // Elsewhere is not where the token and the code were meant to go.
          redirect: 'manual',
          signal: AbortSignal.timeout(TIMEOUT_MS),
        })
        await response.body?.cancel()
        return response.ok ? { ok: true } : { ok: false, reason: `status ${response.status}` }
      } catch (error) {
        // Its message may hold anything.
        return { ok: false, reason: error instanceof Error ? error.name : 'unknown' }
      }
    },
  }
}

function letter({ code, expiresInSeconds, orcName }: LoginCodeMail): { subject: string; text: string } {
  return {
    subject: `${code} is your code for ${orcName}`,
    text: [
      `${code} is your code to log in to ${orcName}.`,
      `It works once, within ${Math.floor(expiresInSeconds / 60)} minutes, in the browser that asked for it.`,
      'Enter it nowhere else, and give it to nobody. If you did not ask for it, ignore this message: nobody comes in without it.',
    ].join('\n\n'),
  }
}
