import { emailAddress } from '@daisi/protocol'
import * as z from 'zod'

/** The part of `GET /user` that a login needs. `id` is for ever; `login` can change hands. */
export const githubUser = z.object({
  id: z.int().positive(),
  login: z.string().regex(/^[\w-]{1,64}$/),
  name: z.string().nullish(),
})

/** `GET /user/emails`. */
export const githubEmails = z.array(
  z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }),
)

/** Who somebody is, in GitHub's word. */
export interface GithubPerson {
  readonly githubId: string
  readonly name: string
  /** Undefined if GitHub has not verified the primary address, since any other could be somebody else's, or if it is none that this Orc knows. */
  readonly verifiedEmail: string | undefined
}

const MAX_NAME = 64
/** What people can tell from each other, and nothing that turns text around. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+( [\p{L}\p{M}\p{N}\p{P}\p{S}]+)*$/u

/** Takes from GitHub's answers what a login goes by. */
export function githubPerson(
  user: z.infer<typeof githubUser>,
  emails: z.infer<typeof githubEmails>,
): GithubPerson {
  const primary = emails.find((email) => email.primary)
  const name = user.name?.trim() ?? ''
  return {
    githubId: String(user.id),
    name: name.length <= MAX_NAME && PRINTABLE.test(name) ? name : user.login,
    verifiedEmail: primary?.verified === true ? emailAddress.safeParse(primary.email).data : undefined,
  }
}
