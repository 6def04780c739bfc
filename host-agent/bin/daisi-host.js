#!/usr/bin/env node
// A file of its own, because npm links only a bin that exists at install, before the first build. It runs on any Node, to say
// which one is needed: older ones fail while they load what it imports.
const NEEDED = [22, 19]
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `daisi-host: needs Node ${NEEDED.join('.')} or newer, and this is ${process.versions.node}; install it from https://nodejs.org, or start with: npx -p node@24 -p daisi-host daisi-host\n`,
  )
  process.exit(2)
}
// Compiled code is kept in the system's folder for temporary files: the next start takes half as long.
const { enableCompileCache } = await import('node:module')
enableCompileCache?.()
await import('../dist/cli.js')
