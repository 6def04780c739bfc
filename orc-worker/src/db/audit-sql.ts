/**
 * Recomputes the whole book in one statement, and so from one moment of it. One row with the columns of `AuditReport`.
 * Plain SQL without parameters and a file without imports: the Orc asks D1, the command line asks a loaded export.
 */
export const AUDIT_SQL = `
with sides as (
  select debit as id, -amount as balance, iif(reason = 'lease', amount, 0) as held, 0 as earned, 0 as spent
  from transfers
  union all
  select credit, amount, iif(reason = 'release', -amount, 0), iif(reason = 'settle', amount, 0), 0 from transfers
  union all
  select payer, 0, -amount, 0, amount from transfers where reason = 'settle'
),
recomputed as (
  select id, sum(balance) as balance, sum(held) as held, sum(earned) as earned, sum(spent) as spent
  from sides group by id
),
leased as (
  select owner_id as id, sum(balance) as held from ledger_accounts where kind = 'lease' group by owner_id
),
drifted as (
  select count(*) as count from ledger_accounts a
  left join recomputed r on r.id = a.id
  left join leased l on l.id = a.id
  where a.balance <> coalesce(r.balance, 0) or a.held <> coalesce(r.held, 0) or a.held <> coalesce(l.held, 0)
    or a.earned <> coalesce(r.earned, 0) or a.spent <> coalesce(r.spent, 0)
    or a.frozen <> coalesce(
      (select amount from freezes where account_id = a.id order by sequence desc limit 1), 0)
),
-- The same rules as the trigger transfers_guard.
misplaced as (
  select count(*) as count from transfers t
  left join ledger_accounts d on d.id = t.debit
  left join ledger_accounts c on c.id = t.credit
  where not coalesce(
    t.amount > 0 and t.payer = coalesce(d.owner_id, d.id) and t.payee = coalesce(c.owner_id, c.id)
    and case t.reason
      when 'grant' then d.id = 'sys_grant' and c.kind = 'account'
      when 'adjust' then t.note is not null
        and ((d.id = 'sys_adjust' and c.kind = 'account') or (d.kind = 'account' and c.id = 'sys_adjust'))
      when 'lease' then d.kind = 'account' and c.kind = 'lease' and c.owner_id = d.id
      when 'release' then d.kind = 'lease' and c.kind = 'account' and d.owner_id = c.id
      when 'settle' then d.kind = 'lease' and c.kind = 'account' and d.owner_id <> c.id
      else 0
    end, 0)
),
-- A payment's id is settle:<settlement>:<payee>. Payments of settle:<session>:<number>:<payee> come from before
-- settlements had rows; usage and work were not counted with them, and nothing is expected to match. Those that were under
-- way at that time came later, each with a settlement of <session>:<number>.
paid as (
  select * from (
    select substr(id, 8, length(id) - length(payee) - 8) as settlement, debit, payer, payee, amount, sequence
    from transfers where reason = 'settle'
  ) where settlement not glob '*:*' or (
    sequence > (select min(sequence) from transfers where reason = 'settle' and id not glob 'settle:*:*:*')
    and settlement not in (select id from settlements)
  )
),
-- Every credit stands on four pages: its settlement, its payment, the payer's usage, the payee's work. Each pair of columns
-- is added up with opposite signs, so that whatever is left of a group has no counterpart.
by_settlement as (
  select id, lease, sum(credits) as rest from (
    select id, lease_id as lease, credits from settlements where id not glob '*:*'
    union all
    select settlement, debit, -amount from paid
  ) group by id, lease
),
by_payer as (
  select id, sum(credits) as rest from (
    select account_id as id, credits from usage_daily union all select payer, -amount from paid
  ) group by id
),
by_payee as (
  select id, sum(credits) as rest from (
    select account_id as id, credits from work_hourly union all select payee, -amount from paid
  ) group by id
)
select
  (select count(*) from ledger_accounts) as accounts,
  (select count(*) from transfers) as transfers,
  (select count(*) from settlements) as settlements,
  (select coalesce(sum(balance), 0) from ledger_accounts) as sum,
  (select count from drifted) as drifted,
  (select count(*) from ledger_accounts where kind <> 'system' and balance < 0) as overdrawn,
  (select count from misplaced) as misplaced,
  (select coalesce(sum(abs(rest)), 0) from by_settlement)
    + (select coalesce(sum(abs(rest)), 0) from by_payer)
    + (select coalesce(sum(abs(rest)), 0) from by_payee) as unexplained,
  (select count(*) from ledger_accounts where kind = 'lease' and balance > 0) as leases,
  (select coalesce(sum(balance), 0) from ledger_accounts where kind = 'lease') as held,
  (select count(*) from anomalies where status = 'open') as open_anomalies
`
