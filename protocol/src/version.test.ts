import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { tokenLogprob } from './host/chat-payload.ts'
import { challengeResponse, enrolRequest, enrolResponse, hostProofClaims } from './host/connect.ts'
import { down } from './host/down.ts'
import { jobPayloads } from './host/job-payloads.ts'
import { outputPart } from './host/output-part.ts'
import { receiptClaims } from './host/receipt.ts'
import { sessionTokenClaims } from './host/session-token.ts'
import { up } from './host/up.ts'
import { MINIMUM_PROTOCOL_VERSION, PROTOCOL_VERSION } from './version.ts'

/**
 * The shape of the Host wire in each version. When this test fails, the wire has changed: raise `PROTOCOL_VERSION`, say in
 * `version.ts` what is new, and add a line. Lines of released versions are never edited.
 */
const HASHES: Readonly<Record<number, string>> = {
  1: 'ff467c60e935a973',
  2: 'd59b3c73b1b42a74',
  3: 'd61fc6c0123502f3',
  4: '78f1edfeb223c205',
}

test('the Host wire does not change without a new version', () => {
  const schemas = [
    up,
    down,
    ...Object.values(jobPayloads),
    tokenLogprob,
    outputPart,
    sessionTokenClaims,
    receiptClaims,
    hostProofClaims,
    challengeResponse,
    enrolRequest,
    enrolResponse,
  ]
  const shape = JSON.stringify(schemas.map((schema) => z.toJSONSchema(schema, { io: 'input' })))
  expect(createHash('sha256').update(shape).digest('hex').slice(0, 16)).toBe(HASHES[PROTOCOL_VERSION])
})

test('the floor is not above the version', () => {
  expect(MINIMUM_PROTOCOL_VERSION).toBeLessThanOrEqual(PROTOCOL_VERSION)
})
