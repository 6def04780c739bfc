/** 128 random bits. `crypto.randomUUID` is missing in pages without TLS, which is how a LAN often serves them. */
export function randomHex(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
