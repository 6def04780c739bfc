import { manageApi, RequestFailure } from './manage-api.ts'

/** Whether the Orc has its operator: a set-up without a name is refused as a conflict then, and as nameless before. */
export async function isSetUp(orc: { readonly url: string; readonly setupToken: string }): Promise<boolean> {
  try {
    await manageApi(orc.url, orc.setupToken).post('/api/setup', {})
    return true
  } catch (error) {
    if (error instanceof RequestFailure) return error.code !== 'invalid_request'
    throw error
  }
}
