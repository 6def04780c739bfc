import { accessSync, constants } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** Where systems keep Chromium or Chrome. Nothing is downloaded. */
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Path of the browser on this machine: `DAISI_BROWSER`, or the first place that has one. */
const chosen = process.env['DAISI_BROWSER']
const path = (chosen === undefined ? PLACES : [chosen]).find(isExecutable)

/**
 * Why tests in a browser are left out, for `test.skipIf(noBrowser)`; undefined where there is a browser. With
 * `DAISI_REQUIRE_BROWSER=1` they are never left out, and fail where there is none.
 */
export const noBrowser: string | undefined =
  path !== undefined || process.env['DAISI_REQUIRE_BROWSER'] === '1'
    ? undefined
    : 'no Chromium on this machine: install it (Debian: apt install chromium) or set DAISI_BROWSER to its path'

if (noBrowser !== undefined) process.stderr.write(`browser tests are left out: ${noBrowser}\n`)

/** Starts a browser without a window, with further switches. It ends with `await using`, or by `close()`. */
export async function launchBrowser(switches: readonly string[] = []): Promise<Browser> {
  if (path === undefined)
    throw new Error('DAISI_REQUIRE_BROWSER is set, but there is no Chromium on this machine')
  // Chromium's own sandbox needs rights that containers do not have; the only pages opened are the tests' own.
  return chromium.launch({
    executablePath: path,
    args: ['--no-sandbox', '--disable-dev-shm-usage', ...switches],
  })
}

function isExecutable(place: string): boolean {
  try {
    accessSync(place, constants.X_OK)
    return true
  } catch {
    return false
  }
}
