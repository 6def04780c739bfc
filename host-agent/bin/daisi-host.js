#!/usr/bin/env node
// A file of its own, because npm links only a bin that exists at install, before the first build.
import '../dist/cli.js'
