/**
 * A prompt without blocks by which it would command the server instead of describing an image: sd-server carries out what stands
 * between these tags. Tags without an end go too, and so does what only becomes a tag when another one is taken away.
 */
export function plainPrompt(prompt: string): string {
  let plain = prompt
  while (true) {
    const next = plain
      .replaceAll(/<sd_cpp_extra_args>[\s\S]*?<\/sd_cpp_extra_args>/gi, '')
      .replaceAll(/<\/?sd_cpp_extra_args[^>]*>?/gi, '')
    if (next === plain) return plain.trim()
    plain = next
  }
}
