import type { AccountCreated, AppCreated, EnrolmentCreated, KeyCreated } from '@daisi/protocol'
import { ExitCode, Failure } from '../exit-codes.ts'
import { manageApi, RequestFailure } from '../manage-api.ts'
import type { RunningOrc } from '../orc/start-orc.ts'
import type { DemoAccount, DemoState } from './demo-state.ts'

/** A token that is about to expire is not worth handing to a Host that has yet to load its model. */
const ENROLMENT_MARGIN_SECONDS = 300

/** What the first run needs to know of an Orc. */
type OrcAddress = Pick<RunningOrc, 'url' | 'setupToken'>

/** What the demo works with, once the first run is through. */
export interface Cast {
  readonly consumer: DemoAccount
  readonly hostOwner: DemoAccount
  readonly secretKey: string
  /** Set as long as the demo's Host is not enrolled. */
  readonly enrolmentToken: string | undefined
}

/**
 * Makes what is missing, saving after each step. A step that was answered but not saved is made again: a spare account
 * or key does no harm, and only the operator cannot be made twice (`openDemoState` sees to that).
 */
export async function completeFirstRun(
  orc: OrcAddress,
  state: DemoState,
  isHostThere: boolean,
): Promise<Cast> {
  const operator = state.credentials.operator ?? (await setUp(orc, state))
  const consumer = state.credentials.consumer ?? (await createAccount(orc, operator, 'consumer'))
  await state.add({ consumer })
  const hostOwner = state.credentials.hostOwner ?? (await createAccount(orc, operator, 'host-owner'))
  await state.add({ hostOwner })
  const consumerApi = manageApi(orc.url, consumer.token)
  const appId =
    state.credentials.appId ?? (await consumerApi.post<AppCreated>('/api/apps', { name: 'demo' })).id
  await state.add({ appId })
  const secretKey =
    state.credentials.secretKey ??
    (await consumerApi.post<KeyCreated>(`/api/apps/${appId}/keys`, { name: 'demo' })).key
  await state.add({ secretKey })
  const enrolmentToken = await enrolment(orc, state, hostOwner, isHostThere)
  return { consumer, hostOwner, secretKey, enrolmentToken }
}

/** A token for one more Host. */
export async function createEnrolment(orc: OrcAddress, owner: DemoAccount): Promise<EnrolmentCreated> {
  return manageApi(orc.url, owner.token).post<EnrolmentCreated>('/api/host-enrolments', {})
}

async function setUp(orc: OrcAddress, state: DemoState): Promise<DemoAccount> {
  try {
    const created = await manageApi(orc.url, orc.setupToken).post<AccountCreated>('/api/setup', {
      name: 'operator',
    })
    const operator = { id: created.id, token: created.token }
    await state.add({ operator })
    return operator
  } catch (error) {
    if (!(error instanceof RequestFailure) || error.code !== 'conflict') throw error
    throw new Failure(
      ExitCode.State,
      'This Orc was set up by somebody else than the demo. Choose another folder with --state, or delete this one.',
      { cause: error },
    )
  }
}

async function createAccount(orc: OrcAddress, operator: DemoAccount, name: string): Promise<DemoAccount> {
  const { id, token } = await manageApi(orc.url, operator.token).post<AccountCreated>('/api/accounts', {
    name,
  })
  return { id, token }
}

/** Undefined once the Host is enrolled. A Host whose folder was deleted is a new one. */
async function enrolment(
  orc: OrcAddress,
  state: DemoState,
  owner: DemoAccount,
  isHostThere: boolean,
): Promise<string | undefined> {
  const { hostEnrolled, enrolment: kept } = state.credentials
  if (hostEnrolled === true && isHostThere) return undefined
  const deadline = Date.now() / 1000 + ENROLMENT_MARGIN_SECONDS
  if (kept !== undefined && hostEnrolled !== true && kept.expiresAt > deadline) return kept.token
  const { token, expires_at: expiresAt } = await createEnrolment(orc, owner)
  await state.add({ enrolment: { token, expiresAt }, hostEnrolled: false })
  return token
}
