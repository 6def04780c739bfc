import * as protocol from '@daisi/protocol'
import * as z from 'zod'
import * as networks from './network-answers.ts'

const daisi = protocol.requestOptions
  .optional()
  .describe('How the request is to be served; the headers `Daisi-…` say the same.')

/** Bodies that routes take. */
const requests = {
  ChatRequest: protocol.chatRequest.extend({ daisi }),
  CompletionRequest: protocol.completionRequest.extend({ daisi }),
  ResponsesRequest: protocol.responsesRequest.extend({ daisi }),
  MessageRequest: protocol.messageRequest.extend({ daisi }),
  CountTokensRequest: protocol.countTokensRequest.extend({ daisi }),
  EmbeddingRequest: protocol.embeddingRequest.extend({ daisi }),
  ImageRequest: protocol.imageRequest.extend({ daisi }),
  QuoteRequest: protocol.quoteRequest,
  SessionRequest: protocol.sessionRequest,
  DirectRequest: protocol.directRequest,
  BrowserTokenRequest: protocol.browserTokenRequest,
  SetupRequest: protocol.setupRequest,
  AccountRequest: protocol.accountRequest,
  AppRequest: protocol.appRequest,
  KeyRequest: protocol.keyRequest,
  KeyChange: protocol.keyChange,
  KeyRotation: protocol.keyRotation,
  EnrolmentRequest: protocol.enrolmentRequest,
  CommandRequest: protocol.commandRequest,
  NetworkRequest: protocol.networkRequest,
  NetworkChange: protocol.networkChange,
  NetworkInvitationRequest: protocol.networkInvitationRequest,
  InvitationAcceptance: protocol.invitationAcceptance,
  TransferAcceptance: protocol.transferAcceptance,
  MemberRequest: protocol.memberRequest,
  MemberChange: protocol.memberChange,
  OperatorRequest: protocol.operatorRequest,
  EmailLoginRequest: protocol.emailLoginRequest,
  EmailLoginAnswer: protocol.emailLoginAnswer,
  PasskeyRequest: protocol.passkeyRequest,
  PasskeyLoginRequest: protocol.passkeyLoginRequest,
  DeviceCodeRequest: protocol.deviceCodeRequest,
  ReviewRequest: protocol.reviewRequest,
  AdjustmentRequest: protocol.adjustmentRequest,
  FreezeRequest: protocol.freezeRequest,
  CatalogueRequest: protocol.catalogueRequest,
  EnrolRequest: protocol.enrolRequest,
} as const

/** Bodies that they answer. */
const answers = {
  Error: protocol.errorAnswer,
  MessageError: protocol.messageErrorAnswer,
  ChatCompletion: protocol.chatCompletionAnswer,
  ChatCompletionChunk: protocol.chatChunkAnswer,
  Completion: protocol.completionAnswer,
  EmbeddingList: protocol.embeddingListAnswer,
  ImageList: protocol.imageListAnswer,
  Model: protocol.modelAnswer,
  ModelList: protocol.modelListAnswer,
  Quote: protocol.quoteAnswer,
  Session: protocol.sessionAnswer,
  DirectGrant: protocol.directGrantAnswer,
  BrowserToken: protocol.browserTokenAnswer,
  Usage: protocol.usageAnswer,
  Balance: protocol.balanceAnswer,
  Discovery: protocol.discovery,
  Account: protocol.accountView,
  AccountCreated: protocol.accountCreated,
  AppCreated: protocol.appCreated,
  AppList: protocol.appList,
  Key: protocol.keyView,
  KeyCreated: protocol.keyCreated,
  EnrolmentCreated: protocol.enrolmentCreated,
  HostList: protocol.hostList,
  HostDetails: protocol.hostDetails,
  CommandQueued: protocol.commandQueued,
  MemberList: protocol.memberList,
  Invitation: protocol.invitationView,
  OwnInvitationList: protocol.ownInvitationList,
  Membership: protocol.membershipView,
  OperatorList: protocol.operatorList,
  Me: protocol.meView,
  LoginSessionList: protocol.loginSessionList,
  EmailLoginBegun: protocol.emailLoginBegun,
  PasskeyOptions: protocol.passkeyOptions,
  Passkey: protocol.passkeyView,
  PasskeyList: protocol.passkeyList,
  DeviceGrant: protocol.deviceGrantView,
  Network: networks.networkView,
  NetworkList: networks.networkList,
  NetworkGuests: networks.networkGuests,
  NetworkHostList: networks.networkHostList,
  NetworkInvitationCreated: networks.networkInvitationCreated,
  NetworkInvitationList: networks.networkInvitationList,
  InvitationAccepted: networks.invitationAccepted,
  HostJoined: networks.hostJoined,
  TransferOffered: networks.transferOffered,
  TransferAccepted: networks.transferAccepted,
  StatementPage: protocol.statementPage,
  ActivityReport: protocol.activityReport,
  AdjustmentMade: protocol.adjustmentMade,
  FreezeMade: protocol.freezeMade,
  AuditReport: protocol.auditReport,
  ReconciliationReport: protocol.reconciliationReport,
  AnomalyPage: protocol.anomalyPage,
  Anomaly: protocol.anomalyView,
  AnomalyDetail: protocol.anomalyDetail,
  Catalogue: protocol.catalogue,
  CatalogueEntry: protocol.catalogueEntry,
  Challenge: protocol.challengeResponse,
  EnrolResponse: protocol.enrolResponse,
  /** Of routes whose answer is not described further. */
  Anything: z.record(z.string(), z.unknown()),
} as const

export type RequestName = keyof typeof requests
export type AnswerName = keyof typeof answers
export type JsonSchema = Readonly<Record<string, unknown>>

/** All of them as JSON Schema (draft 2020-12, which OpenAPI 3.1 uses), by name. */
export function componentSchemas(): Record<string, JsonSchema> {
  return {
    ...convertAll(requests, 'input'),
    ...convertAll(answers, 'output'),
  }
}

/** One schema, for a parameter. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _schema, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return json
}

function convertAll(
  schemas: Readonly<Record<string, z.ZodType>>,
  io: 'input' | 'output',
): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, jsonSchema(schema, io)]))
}
