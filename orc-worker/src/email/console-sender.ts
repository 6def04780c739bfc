import type { EmailSender } from './email-sender.ts'

/** Prints codes where the Orc runs, for whoever runs it for themselves. The only secret that an Orc ever writes out, and only where it was told to. */
export function consoleSender(): EmailSender {
  return {
    async sendLoginCode({ email, code, expiresInSeconds }) {
      // oxlint-disable-next-line no-console -- this is what the setting asks for
      console.log(JSON.stringify({ event: 'login_code', email, code, expiresInSeconds }))
      return { ok: true }
    },
  }
}
