import type { ServicePlan } from './service-plan.ts'
import { escapeXml } from './xml.ts'

/** Name of the agent for launchd. */
export const LAUNCHD_LABEL = 'ai.daisi.host'

/** A launchd agent, which runs while its user is logged in. */
export function launchdPlist({ command, workingFolder }: ServicePlan): string {
  const argumentLines = command.map((argument) => `    <string>${escapeXml(argument)}</string>`).join('\n')
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LAUNCHD_LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${argumentLines}
  </array>
  <key>WorkingDirectory</key>
  <string>${escapeXml(workingFolder)}</string>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>30</integer>
  <key>ExitTimeOut</key>
  <integer>120</integer>
  <key>ProcessType</key>
  <string>Background</string>
  <key>LowPriorityIO</key>
  <true/>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  <string>/dev/null</string>
  <key>StandardErrorPath</key>
  <string>/dev/null</string>
</dict>
</plist>
`
}
