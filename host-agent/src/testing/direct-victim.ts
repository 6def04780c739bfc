// A Host with Direct Connections in a process of its own, for tests that kill it: `node direct-victim.ts ORC STATE`.
// It prints its address and its id, and answers each chat with three tokens.
import { pino } from 'pino'
import { systemClock } from '../clock.ts'
import { IssuerBook } from '../connection/issuer-book.ts'
import { OrcLink } from '../connection/orc-link.ts'
import { DirectService } from '../direct/direct-service.ts'
import { loadIdentity } from '../state/identity.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { NO_KEEPER } from './link-setup.ts'
import { ScriptedEngine } from './scripted-engine.ts'
import { testWorkbench } from './test-workbench.ts'
import { WillingOwner } from './willing-owner.ts'

const [, , url = '', stateFolder = ''] = process.argv
const logger = pino({ level: 'silent' })
const identity = await loadIdentity(stateFolder)
const record = await OrcRecordFile.open(stateFolder, url)
const plan = { listen: { host: '127.0.0.1', port: 0 }, url: undefined, protection: 'loopback' } as const
const direct = await DirectService.open({
  plan,
  hostId: identity.hostId,
  stateFolder,
  orcUrls: [url],
  logger,
})
const engine = new ScriptedEngine()
const link = new OrcLink({
  url,
  pin: undefined,
  issuers: new IssuerBook(stateFolder),
  clock: systemClock,
  random: () => 0,
  logger,
  name: 'victim',
  enrolmentToken: 'enrol-me',
  workbench: await testWorkbench(engine),
  owner: new WillingOwner(),
  keeper: NO_KEEPER,
  direct,
  onOnline: () => process.stdout.write(`${direct.offer.endpoint}\n`),
  identity,
  record,
})
void link.run()
while (true) (await engine.next()).start().delta('abc', 1, 2, 3).end()
