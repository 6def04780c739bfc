import { HOST_CONNECT_PATH, HOST_SUBPROTOCOL } from '@daisi/protocol'
import { WebSocket } from 'ws'

/** A Host's connection to its Orc. */
export type HostSocket = WebSocket

/** Dials an Orc as a Host does (rule C2). */
export function openHostSocket(orcUrl: string, proof: string): HostSocket {
  const url = new URL(HOST_CONNECT_PATH, orcUrl)
  url.protocol = 'ws:'
  const headers = { authorization: `Bearer ${proof}` }
  return new WebSocket(url, HOST_SUBPROTOCOL, { headers, perMessageDeflate: false })
}
