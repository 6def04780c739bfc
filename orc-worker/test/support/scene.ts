import type { AccountCreated, KeyCreated } from '@daisi/protocol'
import { call, newAccount, newEnrolment, newKey } from './orc.ts'
import { type HostHabits, type TestHost, newHost } from './test-host.ts'

/** A consumer with a key, an owner, and the owner's Host online. */
export interface Scene {
  readonly consumer: AccountCreated
  readonly key: KeyCreated
  readonly owner: AccountCreated
  readonly host: TestHost
  readonly model: string
}

let scenes = 0

/** A fresh scene. Its model is its own, so that scenes in one file do not share Hosts. */
export async function newScene(habits: HostHabits = {}): Promise<Scene> {
  const model = `model-${++scenes}`
  const [consumer, owner] = [await newAccount('consumer'), await newAccount('owner')]
  const [key, enrolment] = [await newKey(consumer), await newEnrolment(owner)]
  return { consumer, key, owner, model, host: await newHost(enrolment.token, { model, ...habits }) }
}

/** `POST /v1/chat/completions` with one user message. */
export function chat(
  { key, model }: Pick<Scene, 'key' | 'model'>,
  body: Record<string, unknown> = {},
  options: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const request = { model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 20, ...body }
  return call('POST', '/v1/chat/completions', { token: key.key, body: request, ...options })
}

/** The `data:` values of a whole event stream. */
export async function events(response: Response): Promise<unknown[]> {
  const text = await response.text()
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('data: '))
    .map((block) => (block === 'data: [DONE]' ? '[DONE]' : JSON.parse(block.slice('data: '.length))))
}

/** The stable code of an error answer. */
export async function errorCode(response: Response): Promise<string> {
  return (await response.json<{ error: { code: string } }>()).error.code
}
