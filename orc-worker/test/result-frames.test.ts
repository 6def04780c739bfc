import { env } from 'cloudflare:workers'
import {
  CloseCode,
  type Frame,
  INITIAL_WINDOW_BYTES,
  type Run,
  decodeFrame,
  decodeUp,
  encodeDown,
  encodeFrame,
  textFrame,
} from '@daisi/protocol'
import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { newId } from '../src/domain/ids.ts'
import type { RelayRequest } from '../src/objects/host/attachments.ts'
import { RELAY_REQUEST_HEADER } from '../src/objects/host/headers.ts'
import { hostStub } from '../src/objects/stubs.ts'
import { sessionOf } from './support/evidence.ts'
import { type Scene, newScene } from './support/scene.ts'

// Kinds of work that have no route, or not one each: what the Host's object lets pass, and what it counts.

/** A Job of this kind that the Host has taken, and all that comes out of it at the Worker's end. */
async function startJob(scene: Scene, over: Partial<RelayRequest>) {
  const jobId = newId('job')
  const sessionId = `ses_${'a'.repeat(32)}`
  const request: RelayRequest = {
    jobId,
    sessionId,
    sessionName: await sessionOf(scene),
    kind: 'image',
    model: scene.model,
    network: 'public',
    promptBytes: 1,
    promptBound: 1,
    budget: 1_000,
    maxTokens: 600,
    resumed: false,
    ...over,
  }
  const headers = { upgrade: 'websocket', [RELAY_REQUEST_HEADER]: JSON.stringify(request) }
  const { webSocket } = await hostStub(env, scene.host.keys.id).fetch('https://host/relay', { headers })
  const relay = webSocket!
  relay.binaryType = 'arraybuffer'
  relay.accept()
  const frames: Frame[] = []
  const ended = new Promise<{ generatedTokens: number } | undefined>((resolve) => {
    relay.addEventListener('close', () => resolve(undefined))
    relay.addEventListener('message', ({ data }) => {
      if (typeof data !== 'string') return void frames.push(decodeFrame(data)!)
      const decoded = decodeUp(data)
      if (decoded.kind === 'message' && decoded.message.type === 'job-end') resolve(decoded.message.usage)
    })
  })
  const claims = { iss: scene.host.welcome.issuer, sid: sessionId }
  const key = new TextEncoder().encode('nobody reads the signature here')
  const run: Run = {
    type: 'run',
    jobId,
    kind: request.kind,
    model: { id: scene.model },
    sessionToken: await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(key),
    sealed: false,
    payload: {},
    windowBytes: INITIAL_WINDOW_BYTES,
  }
  relay.send(encodeDown(run))
  scene.host.accept(await scene.host.receive('run'), 1)
  return { jobId, run, frames, ended }
}

function result(jobId: string, sequence: number, tokenCount: number, last: boolean, text: string): Frame {
  return { kind: 'result', jobId, sequence, tokenCount, last, text }
}

test('[F8] [P7] results pass as they come, and cost what their last frames state', async () => {
  const scene = await newScene()
  const { jobId, run, frames, ended } = await startJob(scene, {})
  const sent = [
    result(jobId, 0, 0, false, 'x'.repeat(300)),
    result(jobId, 1, 256, true, 'end'),
    result(jobId, 2, 0, true, ''),
    // A vector may be shorter than the text that it stands for.
    result(jobId, 3, 200, true, 'tiny'),
  ]
  for (const frame of sent) scene.host.sendRaw(encodeFrame(frame))
  await scene.host.end(run, { promptTokens: 1, cachedTokens: 0, generatedTokens: 456 })
  expect(await ended).toMatchObject({ generatedTokens: 456 })
  expect(frames).toEqual(sent)
})

test.for<[string, Partial<RelayRequest>, (jobId: string) => Frame]>([
  ['[F8] tokens before the end of a result', {}, (jobId) => result(jobId, 0, 1, false, 'x')],
  ['[F8] more tokens than were asked for', {}, (jobId) => result(jobId, 0, 601, true, 'x'.repeat(700))],
  ['[F8] a result in a chat', { kind: 'chat' }, (jobId) => result(jobId, 0, 1, true, 'x')],
  [
    '[F2] text in place of an image',
    {},
    (jobId) => textFrame({ jobId, sequence: 0, tokenIds: [1], text: 'x' }),
  ],
  [
    '[F2] text in place of a vector',
    { kind: 'embedding' },
    (jobId) => textFrame({ jobId, sequence: 0, tokenIds: [1], text: 'x' }),
  ],
  [
    '[F2] text without a token',
    { kind: 'chat' },
    (jobId) => ({ kind: 'text', jobId, sequence: 0, tokenCount: 0, tokenIds: [], text: 'x' }),
  ],
])('%s closes with 4400', async ([, request, frame]) => {
  const scene = await newScene()
  const { jobId, frames, ended } = await startJob(scene, request)
  scene.host.sendRaw(encodeFrame(frame(jobId)))
  expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
  expect(await ended).toBeUndefined()
  expect(frames).toEqual([])
})
