import type { AccountCreated, AccountView, AppCreated, KeyCreated } from '../../protocol/src/index.ts'
import { type ManageApi, RequestFailure, manageApi } from '../../orc-local/src/manage-api.ts'

/** Everybody who has credits. */
export interface People {
  readonly operator: AccountCreated
  /** Has more than it can spend, and two keys. */
  readonly rich: Consumer
  /** Lives on small gifts and is refused most of the time. */
  readonly poor: Consumer
  /** Works in opened Sessions. */
  readonly opener: Consumer
  /** Two accounts that own Hosts. */
  readonly owners: readonly AccountCreated[]
}

/** An account with Secret Keys. */
export interface Consumer {
  readonly account: AccountCreated
  readonly keys: readonly string[]
}

/** Credits that every account begins with. */
export const GRANT = 20_000
const RICHES = 1_000_000_000
const OPENERS_CREDITS = 3_000_000
/** What the poor account keeps of its grant. */
const POOR_CREDITS = 2_000

/** Opens the accounts. Answers also by how much the operator changed what they have. */
export async function settlePeople(
  url: string,
  setupToken: string,
): Promise<{ people: People; adjusted: number }> {
  const operator = await manageApi(url, setupToken).post<AccountCreated>('/api/setup', { name: 'operator' })
  const open = (name: string): Promise<AccountCreated> =>
    manageApi(url, operator.token).post<AccountCreated>('/api/accounts', { name })
  const consumer = async (name: string, keyCount: number): Promise<Consumer> => {
    const account = await open(name)
    const api = manageApi(url, account.token)
    const app = await api.post<AppCreated>('/api/apps', { name: 'chaos' })
    const keys: string[] = []
    while (keys.length < keyCount) {
      keys.push((await api.post<KeyCreated>(`/api/apps/${app.id}/keys`, { name: 'chaos' })).key)
    }
    return { account, keys }
  }
  const people: People = {
    operator,
    rich: await consumer('rich', 2),
    poor: await consumer('poor', 2),
    opener: await consumer('opener', 1),
    owners: [await open('first owner'), await open('second owner')],
  }
  const adjustments = [
    [people.rich, RICHES],
    [people.poor, POOR_CREDITS - GRANT],
    [people.opener, OPENERS_CREDITS],
  ] as const
  for (const [{ account }, amount] of adjustments) await adjust(url, people, account, amount, account.id)
  return { people, adjusted: adjustments.reduce((sum, [, amount]) => sum + amount, 0) }
}

/** Gives credits to an account, or takes them; with the same `id` once, however often it is asked for. */
export async function adjust(
  url: string,
  { operator }: People,
  account: AccountCreated,
  amount: number,
  id: string,
): Promise<void> {
  const response = await fetch(new URL(`/api/accounts/${account.id}/adjustments`, url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${operator.token}`,
      'content-type': 'application/json',
      'idempotency-key': id,
    },
    body: JSON.stringify({ amount, note: 'chaos' }),
  })
  if (!response.ok) throw new Error(`an adjustment was answered ${response.status}: ${await response.text()}`)
}

export function accountsOf({ operator, rich, poor, opener, owners }: People): readonly AccountCreated[] {
  return [operator, rich.account, poor.account, opener.account, ...owners]
}

/** The operator's routes. */
export function operatorApi(url: string, { operator }: People): ManageApi {
  return manageApi(url, operator.token)
}

/** How every account stands. */
export function readBalances(url: string, people: People): Promise<AccountView['balance'][]> {
  return Promise.all(
    accountsOf(people).map(
      async ({ token }) => (await manageApi(url, token).get<AccountView>('/api/account')).balance,
    ),
  )
}

/** Does `work` until it is answered: what cannot be reached or fails with 5xx is asked again. */
export async function untilAnswered<Value>(
  work: () => Promise<Value>,
  pause: () => Promise<unknown>,
): Promise<Value> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (error instanceof RequestFailure && error.status < 500) throw error
      await pause()
    }
  }
}
