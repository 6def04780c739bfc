import { SERVICE_DESCRIPTION, type ServicePlan } from './service-plan.ts'
import { escapeXml } from './xml.ts'

/** A task for Windows' scheduler, of one user (`machine\\name`), from log-on on. schtasks reads it as UTF-16. */
export function windowsTask({ command, workingFolder }: ServicePlan, user: string): string {
  const [program, ...rest] = command
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>${escapeXml(SERVICE_DESCRIPTION)}</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>${escapeXml(user)}</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${escapeXml(user)}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>7</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>10</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escapeXml(program)}</Command>
      <Arguments>${escapeXml(rest.map(quoteForWindows).join(' '))}</Arguments>
      <WorkingDirectory>${escapeXml(workingFolder)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`
}

/** One argument as programs on Windows take their command line apart (CommandLineToArgvW): a backslash counts before a quote only. */
function quoteForWindows(argument: string): string {
  return `"${argument.replaceAll(/(\\*)"/g, String.raw`$1$1\"`).replace(/\\+$/, '$&$&')}"`
}
