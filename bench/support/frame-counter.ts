import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'

/** A TCP proxy that counts the WebSocket messages that pass. It changes nothing. */
export interface FrameCounter {
  readonly url: string
  /** Messages so far: text and binary ones, without pings and closes. */
  readonly counts: () => { readonly fromHost: number; readonly fromOrc: number }
  readonly stop: () => Promise<void>
}

/** Puts a counter before the server at `target`. */
export async function startFrameCounter(target: string): Promise<FrameCounter> {
  const counts = { fromHost: 0, fromOrc: 0 }
  const sockets = new Set<Socket>()
  const server: Server = createServer((near) => {
    const far = connect(Number(new URL(target).port), '127.0.0.1')
    const isUpgrade = { value: false }
    const countUp = messageCounter(isUpgrade, () => counts.fromHost++)
    const countDown = messageCounter(isUpgrade, () => counts.fromOrc++)
    near.on('data', countUp)
    far.on('data', countDown)
    near.pipe(far)
    far.pipe(near)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    counts: () => ({ ...counts }),
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Reads one direction of a connection: first HTTP, then, after an upgrade, WebSocket frames (RFC 6455 §5.2). */
function messageCounter(isUpgrade: { value: boolean }, onMessage: () => void): (data: Buffer) => void {
  let inFrames = false
  let unread: Buffer = Buffer.alloc(0)
  let payloadLeft = 0
  return (data) => {
    unread = unread.length === 0 ? data : Buffer.concat([unread, data])
    if (!inFrames) {
      const end = unread.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = unread.toString('latin1', 0, end)
      if (/^upgrade: websocket/im.test(head)) isUpgrade.value = true
      inFrames = isUpgrade.value
      unread = inFrames ? unread.subarray(end + 4) : Buffer.alloc(0)
    }
    if (!inFrames) return
    while (unread.length > 0) {
      const skipped = Math.min(payloadLeft, unread.length)
      payloadLeft -= skipped
      unread = unread.subarray(skipped)
      const header = payloadLeft === 0 ? readHeader(unread) : undefined
      if (header === undefined) return
      if (header.endsMessage) onMessage()
      payloadLeft = header.payloadBytes
      unread = unread.subarray(header.bytes)
    }
  }
}

/** The header of a frame, or undefined if more of it has to come. */
function readHeader(
  bytes: Buffer,
): { bytes: number; payloadBytes: number; endsMessage: boolean } | undefined {
  const first = bytes[0] ?? 0
  const second = bytes[1] ?? 0
  const short = second & 0x7f
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
  const size = 2 + lengthBytes + ((second & 0x80) === 0 ? 0 : 4)
  if (bytes.length < size) return undefined
  const payloadBytes =
    lengthBytes === 8 ? Number(bytes.readBigUInt64BE(2)) : lengthBytes === 2 ? bytes.readUInt16BE(2) : short
  const isControl = (first & 0x08) !== 0
  return { bytes: size, payloadBytes, endsMessage: (first & 0x80) !== 0 && !isControl }
}
