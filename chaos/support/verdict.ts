import type { AccountView, StatementPage, UsageTotals, Session, Usage } from '../../protocol/src/index.ts'
import { manageApi } from '../../orc-local/src/manage-api.ts'
import { scopeHeaders } from './ask.ts'
import { auditFaults } from './audit-faults.ts'
import type { ChaosRun } from './chaos-run.ts'
import type { Scope } from './own-book.ts'
import { accountsOf, readBalances } from './people.ts'
import type { Rest } from './settle-down.ts'

/** One thing that must hold at the end, with what was found. */
export interface Finding {
  readonly check: string
  readonly found: string
  readonly holds: boolean
}

type Balance = AccountView['balance']

/** Compares what the Orc says at the end with what the load knows. */
export async function judge(run: ChaosRun, rest: Rest): Promise<Finding[]> {
  const audit = await run.audit()
  const balances = await readBalances(run.orc.url, run.people)
  const total = (of: (balance: Balance) => number): number =>
    balances.reduce((sum, each) => sum + of(each), 0)
  const credits = total(({ available, held, frozen }) => available + held + frozen)
  const [spent, earned] = [total((balance) => balance.spent), total((balance) => balance.earned)]
  const { lower, upper, completedJobs } = run.book.bounds()
  const work = run.book.totalWork()
  const faults = auditFaults(audit)
  const statements = await statementFaults(run, balances)
  const sessions = await sessionFaults(run, 'at rest')
  const singles = run.book.scopes.filter(({ single }) => single).length
  const anomalies = `${audit.open_anomalies} open anomalies`
  return [
    finding(
      'audit',
      `${faults.length === 0 ? 'all zero' : faults.join('; ')}, ${anomalies}`,
      faults.length === 0,
    ),
    finding(
      'credits held',
      `${rest.held} after ${rest.seconds} s, ${audit.leases} leases`,
      rest.held === 0 && audit.leases === 0,
    ),
    finding('credits of all accounts = granted', `${credits} = ${run.granted}`, credits === run.granted),
    finding('spent = earned', `${spent} = ${earned}`, spent === earned),
    finding(`spent ≥ ${completedJobs} answers that came to their end`, `${spent} ≥ ${lower}`, spent >= lower),
    finding('spent ≤ what the busiest Host did for each request', `${spent} ≤ ${upper}`, spent <= upper),
    finding('spent ≤ everything that Hosts did', `${spent} ≤ ${work}`, spent <= work),
    finding(
      `each of ${run.book.scopes.length} Sessions within its own bounds (${singles} of one key, charged at most once)`,
      told(sessions),
      sessions.length === 0,
    ),
    finding('statements add up to balances', told(statements), statements.length === 0),
    finding(
      'lease drifts in reconciliation',
      `${rest.drifted}, unanswered ${rest.failed}`,
      rest.drifted === 0,
    ),
    finding('requests whose fate stayed open', String(rest.unresolved), rest.unresolved === 0),
    finding('seen by the load', told(run.book.faults), run.book.faults.length === 0),
  ]
}

/**
 * Sessions that charged what cannot be, by what their clients and the Hosts saw. While the Orc is still `running` after the
 * load, some answers may not have been reported to their Sessions yet: then only too much is a fault.
 */
export async function sessionFaults(run: ChaosRun, state: 'running' | 'at rest'): Promise<string[]> {
  const faults: string[] = []
  for (const scope of run.book.scopes) {
    const { jobs, credits } = await totals(run.orc.url, scope)
    const bounds = run.book.bounds(scope)
    const enough = credits >= bounds.lower && jobs >= bounds.completedJobs
    const notTooMuch = credits <= bounds.upper && jobs <= bounds.workedRequests
    const within = notTooMuch && (enough || state === 'running')
    if (!within)
      faults.push(`${scope.name}: ${jobs} Jobs, ${credits} credits, not in ${JSON.stringify(bounds)}`)
    if (scope.single && jobs > 1) faults.push(`${scope.name}: one Idempotency-Key was charged ${jobs} times`)
  }
  return faults
}

async function totals(orcUrl: string, scope: Scope): Promise<UsageTotals> {
  const path = scope.sessionId === undefined ? '/v1/usage' : `/v1/sessions/${scope.sessionId}`
  const response = await fetch(new URL(path, orcUrl), { headers: scopeHeaders(scope) })
  if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`)
  const answer = (await response.json()) as Session | Usage
  return 'totals' in answer ? answer.totals : answer.usage
}

async function statementFaults(run: ChaosRun, balances: readonly Balance[]): Promise<string[]> {
  const faults: string[] = []
  for (const [index, { id, token }] of accountsOf(run.people).entries()) {
    const { available = 0, held = 0, frozen = 0 } = balances[index] ?? {}
    const sum = await statementSum(run.orc.url, token)
    if (sum !== available + held + frozen) faults.push(`${id}: ${sum} is not ${available + held + frozen}`)
  }
  return faults
}

async function statementSum(orcUrl: string, token: string): Promise<number> {
  let sum = 0
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`
    const page: StatementPage = await manageApi(orcUrl, token).get<StatementPage>(
      `/api/statement?limit=1000${query}`,
    )
    sum += page.entries.reduce((total, { amount }) => total + amount, 0)
    cursor = page.next_cursor
  }
  return sum
}

function finding(check: string, found: string, holds: boolean): Finding {
  return { check, found, holds }
}

function told(faults: readonly string[]): string {
  return faults.length === 0 ? 'none off' : `${faults.length} off: ${faults.slice(0, 5).join(' | ')}`
}
