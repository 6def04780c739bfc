import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with its counts on one plain line. */
export class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state]++
      // A file that does not even load has no tests to count.
      if (module.state() === 'failed' && counts.failed === 0) counts.failed++
    }
    const skipped = counts.skipped + counts.pending
    const tail = skipped === 0 ? '' : `, ${skipped} skipped`
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${tail}\n`)
  }
}
