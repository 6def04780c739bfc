import { manageApi, RequestFailure } from './manage-api.ts'

/** Where an Orc is, and what opens its set-up. */
interface OrcToAsk {
  readonly url: string
  readonly setupToken: string
  readonly certificate?: { readonly pin: string } | undefined
}

/** Whether the Orc has its operator: a set-up without a name is refused as a conflict then, and as nameless before. */
export async function isSetUp(orc: OrcToAsk): Promise<boolean> {
  try {
    await manageApi(orc.url, orc.setupToken, orc.certificate?.pin).post('/api/setup', {})
    return true
  } catch (error) {
    if (error instanceof RequestFailure) return error.code !== 'invalid_request'
    throw error
  }
}
