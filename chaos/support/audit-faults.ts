import type { AuditReport } from '../../protocol/src/index.ts'

/** What an audit found that must never be. */
export function auditFaults(report: AuditReport): string[] {
  const { sum, drifted, overdrawn, misplaced, unexplained } = report
  return Object.entries({ sum, drifted, overdrawn, misplaced, unexplained })
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `audit: ${name} is ${value}`)
}
