import type { Route } from '../routes/table.ts'

/** How callers show who they are. */
export const SECURITY_SCHEMES = {
  secretKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'A Secret Key (`daisi_sk_…`) of an App, or a browser token (`daisi_bt_…`).',
  },
  accountToken: {
    type: 'http',
    scheme: 'bearer',
    description:
      "The token of an account, which acts as its owner; for operators' routes that of the operators' account.",
  },
  setupToken: { type: 'http', scheme: 'bearer', description: "The Orc's `SETUP_TOKEN`." },
  hostProof: { type: 'http', scheme: 'bearer', description: 'A proof by the key of a Host, a JWT.' },
  login: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-daisi_login',
    description: 'The cookie of a person who is logged in.',
  },
} as const

type Requirement = Readonly<Record<string, readonly string[]>>

/** One of these lets a caller in; none at all where nothing is asked for. */
export function securityOf(access: Route['access']): readonly Requirement[] {
  switch (access) {
    case 'public':
      return []
    case 'consumer':
      return [{ secretKey: [] }]
    case 'setup':
      return [{ setupToken: [] }]
    case 'host':
      return [{ hostProof: [] }, {}]
    case 'user':
      return [{ login: [] }]
    case 'viewer':
    case 'member':
    case 'admin':
    case 'owner':
    case 'operator':
      return [{ accountToken: [] }, { login: [] }]
  }
}
