import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { afterAll, describe, expect, test } from 'vitest'

const migrations = join(import.meta.dirname, '../migrations')
const folder = mkdtempSync(join(tmpdir(), 'audit-export-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A database with the migrations between these numbers, inclusive. */
function migrate(database: DatabaseSync, first: string, last: string): DatabaseSync {
  for (const file of readdirSync(migrations).sort()) {
    const number = file.slice(0, 4)
    if (file.endsWith('.sql') && number >= first && number <= last) {
      database.exec(readFileSync(join(migrations, file), 'utf8'))
    }
  }
  return database
}

/** Two accounts. What their names and notes say looks like the end of a statement. */
const ACCOUNTS = `
  INSERT INTO accounts (id, name, operator, token_hash, created_at) VALUES ('acc_a', 'it''s "A"; -- ', 0, 'hash a', 0), ('acc_b', 'B' || char(10) || 'END;', 0, 'hash b', 0);
  INSERT INTO ledger_accounts (id, kind, owner_id)
    VALUES ('acc_a', 'account', NULL), ('acc_b', 'account', NULL), ('lease:1', 'lease', 'acc_a');`

function book(): DatabaseSync {
  const database = migrate(new DatabaseSync(':memory:'), '0000', '9999')
  database.exec(`${ACCOUNTS}
    INSERT INTO transfers (id, debit, credit, payer, payee, amount, reason, note, created_at) VALUES
      ('grant:a', 'sys_grant', 'acc_a', 'sys_grant', 'acc_a', 1000, 'grant', NULL, 0),
      ('adjust:a', 'acc_a', 'sys_adjust', 'acc_a', 'sys_adjust', 9, 'adjust', '/* ; END; CREATE TRIGGER ''', 0),
      ('lease:1', 'acc_a', 'lease:1', 'acc_a', 'acc_a', 100, 'lease', NULL, 0),
      ('settle:stl_1:acc_b', 'lease:1', 'acc_b', 'acc_a', 'acc_b', 40, 'settle', NULL, 0);
    INSERT INTO settlements VALUES ('stl_1', 'lease:1', 1, 40, 0);
    INSERT INTO usage_daily VALUES ('acc_a', '2026-01-01', 'key_1', 'm', 1, 20, 0, 20, 40);
    INSERT INTO work_hourly VALUES ('host', 0, 'm', 'public', 'acc_b', 1, 20, 0, 20, 9, 9, 40);`)
  return database
}

function drop(database: DatabaseSync, type: string): DatabaseSync {
  for (const { name } of schema(database, type)) database.exec(`DROP ${type} ${name}`)
  return database
}

function schema(database: DatabaseSync, type: string): { name: string; sql: string }[] {
  const statement = database.prepare(
    "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL ORDER BY name LIKE 'transfers'",
  )
  return statement.all(type).map((row) => ({ name: String(row['name']), sql: String(row['sql']) }))
}

/** Writes a database as `wrangler d1 export` does, the triggers where asked. */
function exported(database: DatabaseSync, triggers: 'first' | 'last' = 'last'): string {
  const literal = (value: SQLOutputValue): string => {
    if (typeof value !== 'string') return value === null ? 'NULL' : value.toString()
    const text = `'${value.replaceAll("'", "''")}'`
    return text.includes('\n') ? `replace(${text.replaceAll('\n', String.raw`\n`)},'\\n',char(10))` : text
  }
  const tables = schema(database, 'table')
  const rows = tables.flatMap(({ name }) => {
    const statement = database.prepare(`SELECT * FROM ${name}`)
    statement.setReadBigInts(true)
    const values = statement.all().map((row) => Object.values(row).map(literal).join(','))
    return values.map((list) => `INSERT INTO "${name}" VALUES(${list})`)
  })
  const definitions = (type: string): string[] => schema(database, type).map(({ sql }) => sql)
  const parts = [definitions('table'), rows, definitions('index')]
  parts.splice(triggers === 'first' ? 1 : 3, 0, definitions('trigger'))
  return `PRAGMA defer_foreign_keys=TRUE;\n${parts.flat().join(';\n')};\n`
}

function auditExport(text: string | undefined): { code: number | null; out: string; error: string } {
  const file = join(folder, 'book.sql')
  if (text !== undefined) writeFileSync(file, text)
  const script = join(import.meta.dirname, 'audit-export.ts')
  const options = { encoding: 'utf8' } as const
  const result = spawnSync(process.execPath, [script, ...(text === undefined ? [] : [file])], options)
  return { code: result.status, out: result.stdout, error: result.stderr }
}

const numbers = (out: string): Record<string, number> =>
  Object.fromEntries([...out.matchAll(/^(\w+) +(-?\d+)$/gm)].map(([, name, count]) => [name, Number(count)]))

test.for(['first', 'last'] as const)('a clean book is clean, with its triggers %s', (triggers) => {
  const { code, out } = auditExport(exported(book(), triggers))
  expect(numbers(out)).toEqual({
    accounts: 5,
    transfers: 4,
    settlements: 1,
    sum: 0,
    drifted: 0,
    overdrawn: 0,
    misplaced: 0,
    unexplained: 0,
    leases: 1,
    held: 60,
    open_anomalies: 0,
  })
  expect(code).toBe(0)
})

test('a book from before settlements had rows is clean once it is migrated', () => {
  const database = migrate(new DatabaseSync(':memory:'), '0000', '0001')
  database.exec(`${ACCOUNTS}
    INSERT INTO transfers VALUES
      ('grant:a', 'sys_grant', 'acc_a', 1000, 'grant', 0),
      ('lease:ses_1:1', 'acc_a', 'lease:1', 100, 'lease', 0),
      ('settle:ses_1:2:acc_b', 'lease:1', 'acc_b', 40, 'settle', 0),
      ('release:ses_1:3', 'lease:1', 'acc_a', 10, 'release', 0);`)
  const { code, out } = auditExport(exported(migrate(database, '0002', '9999')))
  expect(numbers(out)).toMatchObject({
    transfers: 4,
    settlements: 0,
    drifted: 0,
    misplaced: 0,
    unexplained: 0,
  })
  expect(code).toBe(0)
})

describe('a book that was tampered with is not clean', () => {
  test.for([
    [
      'a balance',
      "UPDATE ledger_accounts SET balance = balance + 1 WHERE id = 'acc_b'",
      { sum: 1, drifted: 1 },
    ],
    [
      'an overdraft',
      "UPDATE ledger_accounts SET balance = -5 WHERE id = 'acc_b'",
      { overdrawn: 1, drifted: 1 },
    ],
    ['a huge balance', "UPDATE ledger_accounts SET balance = 1 << 62 WHERE id = 'acc_b'", { drifted: 1 }],
    [
      'a transfer',
      "UPDATE transfers SET amount = 41 WHERE reason = 'settle'",
      { drifted: 3, unexplained: 3 },
    ],
    ['a transfer that is gone', "DELETE FROM transfers WHERE reason = 'adjust'", { drifted: 2 }],
    ['a negative transfer', "UPDATE transfers SET amount = -9 WHERE reason = 'adjust'", { misplaced: 1 }],
    [
      'an account that is gone',
      "DELETE FROM ledger_accounts WHERE id = 'lease:1'",
      { sum: -60, misplaced: 2 },
    ],
    ['usage', 'DELETE FROM usage_daily', { unexplained: 40 }],
  ] as const)('%s', ([, statement, faults]) => {
    const database = drop(book(), 'trigger')
    database.exec('PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON')
    database.exec(statement)
    const { code, out } = auditExport(exported(database))
    expect(numbers(out)).toMatchObject(faults)
    expect(code).toBe(1)
  })
})

describe('what is no book is told from one that is clean', () => {
  const whole = exported(book())
  const empty = book()
  for (const { name } of schema(drop(empty, 'trigger'), 'table')) {
    empty.exec(`PRAGMA foreign_keys = OFF; DELETE FROM ${name}`)
  }
  test.for([
    ['no file', undefined],
    ['an empty file', ''],
    ['no SQL', 'this is a letter'],
    ['an SQL error', 'INSERT INTO nowhere VALUES (1);'],
    ['half a statement', whole.slice(0, whole.indexOf('acc_a'))],
    ['tables without rows', exported(empty)],
    ['an older database', exported(migrate(new DatabaseSync(':memory:'), '0000', '0001'))],
  ] as const)('%s', ([, text]) => {
    const { code, out, error } = auditExport(text)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(error).toContain('wrangler d1 export')
  })

  test('a file that is not there', () => {
    const script = join(import.meta.dirname, 'audit-export.ts')
    expect(spawnSync(process.execPath, [script, join(folder, 'nothing.sql')]).status).toBe(2)
  })
})
