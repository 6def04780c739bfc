import { FINAL_EXIT_CODES, SERVICE_DESCRIPTION, type ServicePlan } from './service-plan.ts'

/** A unit for systemd's manager of one user's services. */
export function systemdUnit({ command, workingFolder }: ServicePlan): string {
  const [program, ...rest] = command
  return `[Unit]
Description=${SERVICE_DESCRIPTION}
StartLimitIntervalSec=600
StartLimitBurst=10

[Service]
Type=exec
ExecStart=${[quote(program), ...rest.map(quoteArgument)].join(' ')}
WorkingDirectory=${escapeSpecifiers(workingFolder)}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=${FINAL_EXIT_CODES.join(' ')}
# The agent finishes its running jobs within its own time limit; this is the end of all patience.
TimeoutStopSec=120
# The agent ends its engines itself, after their jobs.
KillMode=mixed
Nice=10
LimitNOFILE=65536
NoNewPrivileges=yes
UMask=0077

[Install]
WantedBy=default.target
`
}

/** A word of ExecStart, as systemd.service(5) asks for it: quoted, and without specifiers (%). */
function quote(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)
  return `"${escapeSpecifiers(escaped)}"`
}

/** In arguments, and in them alone, systemd replaces variables ($) too. */
function quoteArgument(word: string): string {
  return quote(word).replaceAll('$', '$$$$')
}

function escapeSpecifiers(text: string): string {
  return text.replaceAll('%', '%%')
}
