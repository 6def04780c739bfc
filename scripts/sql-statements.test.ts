import { expect, test } from 'vitest'
import { UnfinishedSqlError, sqlStatements } from './sql-statements.ts'

async function* linesOf(text: string): AsyncGenerator<string> {
  yield* text.split('\n')
}

async function statements(text: string): Promise<string[]> {
  const all: string[] = []
  for await (const statement of sqlStatements(linesOf(text))) all.push(statement.text.trim())
  return all
}

test.for([
  ['two on a line', 'SELECT 1; SELECT 2;', ['SELECT 1;', 'SELECT 2;']],
  ['one on two lines', 'SELECT\n1;', ['SELECT\n1;']],
  ['a semicolon in a text', "SELECT 'a;''b;';", ["SELECT 'a;''b;';"]],
  ['a line break in a text', "SELECT ';\n;';", ["SELECT ';\n;';"]],
  ['a semicolon in a name', 'SELECT "a;", `b;`, [c;];', ['SELECT "a;", `b;`, [c;];']],
  ['comments', "SELECT 1 -- no; don't\n, /* ;\n' */ 2;", ["SELECT 1 -- no; don't\n, /* ;\n' */ 2;"]],
  ['nothing after the last', 'SELECT 1;\n\n-- the end', ['SELECT 1;']],
] as const)('a file with %s', async ([, text, expected]) => {
  expect(await statements(text)).toEqual(expected)
})

test('a trigger is one statement, whatever ends inside it', async () => {
  const trigger = `CREATE TEMP TRIGGER t AFTER INSERT ON a
BEGIN
  SELECT CASE WHEN 1 THEN ';END;'
  END;
  SELECT 2; -- END;
END;`
  expect(await statements(`SELECT 1;\n${trigger}\nSELECT 3;`)).toEqual(['SELECT 1;', trigger, 'SELECT 3;'])
})

test.for(['SELECT 1', "SELECT 'a;", 'CREATE TRIGGER t BEGIN SELECT 1;'])('%s is unfinished', async (text) => {
  await expect(statements(text)).rejects.toThrow(UnfinishedSqlError)
})
