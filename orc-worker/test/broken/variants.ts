/** One line of the Orc's source that is replaced by one that loses or makes credits. */
export interface Variant {
  readonly name: string
  /** Relative to `orc-worker/src`. */
  readonly file: string
  /** The whole line, its indentation included. Exactly one line of the file is like it. */
  readonly line: string
  readonly replacement: string
}

/** Mistakes that the property in `ledger-properties.test.ts` must find. */
export const VARIANTS: readonly Variant[] = [
  {
    name: 'a finished Job keeps its hold',
    file: 'domain/money/lease.ts',
    line: '  return { ...lease, held: lease.held - hold, owed: lease.owed + owedFor(hold, credits) }',
    replacement: '  return { ...lease, owed: lease.owed + owedFor(hold, credits) }',
  },
  {
    name: 'a Job costs more than was held for it',
    file: 'domain/money/lease.ts',
    line: '  return Math.min(hold, credits)',
    replacement: '  return credits',
  },
  {
    name: 'a report that comes again counts again',
    file: 'objects/session/lease-store.ts',
    line: `    if (row.state !== 'open') return 'repeated'`,
    replacement: '',
  },
  {
    name: 'a hold that expired is not freed',
    file: 'objects/session/lease-store.ts',
    line: '      for (const row of expired) this.#giveUpHold(row, 0)',
    replacement: '',
  },
  {
    name: 'a write that was carried out is made once more',
    file: 'objects/session/lease-store.ts',
    line: "      if (write.kind === 'settle') this.#commitSettlement(write.entry, write.jobIds, now)",
    replacement:
      "      if (write.kind === 'settle') return this.#commitSettlement(write.entry, write.jobIds, now)",
  },
  {
    name: 'the lease does not learn of a refill',
    file: 'objects/session/lease-store.ts',
    line: '    this.#saveLease(refilled(this.lease(), amount))',
    replacement: '',
  },
  {
    name: 'Jobs can use what is on its way back to the account',
    file: 'objects/session/lease-store.ts',
    line: "      if (write.kind === 'release') this.#saveLease(released(this.lease(), write.transfer.amount))",
    replacement: '',
  },
  {
    name: 'a Job that was paid is paid again',
    file: 'objects/session/lease-store.ts',
    line: "    this.#sql.exec('DELETE FROM jobs WHERE id IN (SELECT value FROM json_each(?))', ids)",
    replacement: '',
  },
  {
    name: 'a settlement has another id each time it is tried',
    file: 'objects/session/book.ts',
    line: '        ? await postSettlement(this.#db, write.entry, now)',
    replacement: "        ? await postSettlement(this.#db, { ...write.entry, id: newId('stl') }, now)",
  },
  {
    name: 'a refill or release has another id each time it is tried',
    file: 'objects/session/book.ts',
    line: '        : await postTransfers(this.#db, [write.transfer], now)',
    replacement: "        : await postTransfers(this.#db, [{ ...write.transfer, id: newId('stl') }], now)",
  },
  {
    name: 'a refill is taken to have failed when its answer is lost',
    file: 'objects/session/book.ts',
    line: '        : await postTransfers(this.#db, [write.transfer], now)',
    replacement: "        : await postTransfers(this.#db, [write.transfer], now).catch(() => 'overdraft')",
  },
  {
    name: 'two writes of a Session are under way at once',
    file: 'objects/session/book.ts',
    line: '    const result = this.#last.then(work)',
    replacement: '    const result = work()',
  },
  {
    name: 'usage and work are counted each time a settlement is tried',
    file: 'db/ledger.ts',
    line: '  return sql`not exists (select 1 from settlements where id = ${settlementId})`',
    replacement: '  return sql`${settlementId} <> 0`',
  },
  {
    name: 'a Session does not take the word of the book',
    file: 'objects/session/book.ts',
    line: '    this.#store.yieldTo(book, now)',
    replacement: '',
  },
  {
    name: 'a request that was answered runs again',
    file: 'objects/session/lease-store.ts',
    line: '    if (row.key !== null) this.#memory.rememberAnswered(row.key, row.digest, rememberUntil)',
    replacement: '',
  },
]
