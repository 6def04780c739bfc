/**
 * The messages in one direction of a connection that became a WebSocket, masks removed (RFC 6455 §5.2), each as Latin-1 text: a
 * byte is a character. None for any other connection.
 */
export function webSocketMessages(connection: Buffer): string[] {
  const headEnd = connection.indexOf('\r\n\r\n') + 4
  const head = connection.toString('latin1', 0, headEnd)
  if (headEnd < 4 || !/^Upgrade: websocket/im.test(head)) return []
  const messages: string[] = []
  for (let at = headEnd; at + 2 <= connection.length;) {
    const { start, length, mask } = frameHead(connection, at)
    if (start + length > connection.length) break
    const payload = connection.subarray(start, start + length)
    messages.push(
      Buffer.from(payload.map((byte, index) => byte ^ (mask?.[index % 4] ?? 0))).toString('latin1'),
    )
    at = start + length
  }
  return messages
}

function frameHead(bytes: Buffer, at: number): { start: number; length: number; mask: Buffer | undefined } {
  const second = bytes.readUInt8(at + 1)
  const short = second & 0x7f
  const sizeBytes = short === 127 ? 8 : short === 126 ? 2 : 0
  const maskAt = at + 2 + sizeBytes
  const start = maskAt + (second & 0x80 ? 4 : 0)
  if (start > bytes.length) return { start, length: 0, mask: undefined }
  const length =
    sizeBytes === 8
      ? Number(bytes.readBigUInt64BE(at + 2))
      : sizeBytes === 2
        ? bytes.readUInt16BE(at + 2)
        : short
  return { start, length, mask: start === maskAt ? undefined : bytes.subarray(maskAt, start) }
}
