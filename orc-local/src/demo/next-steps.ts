import { print, styled } from '../output.ts'

/** What the reader of the demo may use. */
export interface NextSteps {
  readonly url: string
  readonly model: string
  readonly secretKey: string
  readonly modelPath: string
  readonly secondHostDir: string
  readonly enrolmentToken: string
}

/** Prints what to try while the demo stays up. */
export function printNextSteps(steps: NextSteps): void {
  const { url, model, secretKey } = steps
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] })
  const messages = `messages: [{ role: 'user', content: 'Hello' }]`
  section(
    'With curl',
    `curl ${url}/v1/chat/completions -H 'Authorization: Bearer ${secretKey}' -H 'Content-Type: application/json' -d '${body}'`,
  )
  section(
    'With the openai client',
    `import OpenAI from 'openai'`,
    `const openai = new OpenAI({ baseURL: '${url}/v1', apiKey: '${secretKey}' })`,
    `console.log((await openai.chat.completions.create({ model: '${model}', ${messages} })).choices[0].message.content)`,
  )
  section(
    'With the DAISI SDK',
    `import { Daisi } from 'daisi-sdk'`,
    `const daisi = new Daisi({ baseURL: '${url}/v1', apiKey: '${secretKey}' })`,
    `const stream = await daisi.chat.stream({ model: '${model}', ${messages} })`,
    `for await (const text of stream.textDeltas()) process.stdout.write(text)`,
  )
  section(
    'A second Host (in another terminal)',
    `npx daisi-host run --orc ${url} --model ${quoted(steps.modelPath)} --state ${quoted(steps.secondHostDir)} --enroll ${steps.enrolmentToken}`,
  )
  print('', 'Ctrl-C lets the Host finish and stops everything; a second one kills.')
}

function section(title: string, ...lines: readonly string[]): void {
  print('', styled('bold', title), ...lines.map((line) => `  ${line}`))
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
