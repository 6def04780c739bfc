import type { EmailSettings } from './email-settings.ts'
import { consoleSender } from './console-sender.ts'
import { httpSender } from './http-sender.ts'

/** A code on its way to the person that it was made for. */
export interface LoginCodeMail {
  /** Where it goes. */
  readonly email: string
  readonly code: string
  readonly expiresInSeconds: number
  /** The Orc's name, as people know it. */
  readonly orcName: string
}

/** Why a message did not leave. Never holds the address or the code. */
export type SendOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** A way for messages to leave the Orc. */
export interface EmailSender {
  sendLoginCode(mail: LoginCodeMail): Promise<SendOutcome>
}

/** The way that is set up, or undefined if there is none. */
export function emailSender(settings: EmailSettings): EmailSender | undefined {
  switch (settings.kind) {
    case 'off':
      return undefined
    case 'console':
      return consoleSender()
    case 'http':
      return httpSender(settings)
  }
}
