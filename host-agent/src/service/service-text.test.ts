import { expect, test } from 'vitest'
import { launchdPlist } from './launchd-plist.ts'
import { servicePlan } from './service-plan.ts'
import { systemdUnit } from './systemd-unit.ts'
import { windowsTask } from './windows-task.ts'

const plain = servicePlan('/home/ada/.config/daisi-host', '/usr/bin/node', '/opt/daisi/cli.js')
const odd = {
  command: ['/opt/a b/node', 'C:\\x "y" <&>\'\\', '100%h $HOME ${X}'],
  workingFolder: '/home/a b & <c>/100%',
} as const

test('a unit for systemd', () => {
  expect(systemdUnit(plain)).toBe(`[Unit]
Description=DAISI Host: lends this machine to a DAISI network
StartLimitIntervalSec=600
StartLimitBurst=10

[Service]
Type=exec
ExecStart="/usr/bin/node" "/opt/daisi/cli.js" "run" "--state" "/home/ada/.config/daisi-host"
WorkingDirectory=/home/ada/.config/daisi-host
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 3 5 6 9
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
`)
})

test('a unit passes on what it is given, and nothing is replaced in it', () => {
  const lines = systemdUnit(odd).split('\n')
  expect(lines).toContain(
    String.raw`ExecStart="/opt/a b/node" "C:\\x \"y\" <&>'\\" "100%%h $$HOME $\${X}"`.replace('\\$', '$'),
  )
  expect(lines).toContain('WorkingDirectory=/home/a b & <c>/100%%')
})

test('a property list for launchd', () => {
  expect(launchdPlist(odd)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>ai.daisi.host</string>
  <key>ProgramArguments</key>
  <array>
    <string>/opt/a b/node</string>
    <string>C:\\x &quot;y&quot; &lt;&amp;&gt;&apos;\\</string>
    <string>100%h $HOME \${X}</string>
  </array>
  <key>WorkingDirectory</key>
  <string>/home/a b &amp; &lt;c&gt;/100%</string>
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
`)
})

test("a task for Windows' scheduler", () => {
  const text = windowsTask(odd, 'PC\\Ada & Co')
  const parts = /<Command>(.*)<\/Command>\s*<Arguments>(.*)<\/Arguments>\s*<WorkingDirectory>(.*)<\/W/.exec(
    text,
  )
  expect(parts?.slice(1)).toEqual([
    '/opt/a b/node',
    String.raw`&quot;C:\x \&quot;y\&quot; &lt;&amp;&gt;&apos;\\&quot; &quot;100%h $HOME ` + '${X}&quot;',
    '/home/a b &amp; &lt;c&gt;/100%',
  ])
  expect(text.match(/<UserId>PC\\Ada &amp; Co<\/UserId>/g)).toHaveLength(2)
  expect(text.startsWith('<?xml version="1.0" encoding="UTF-16"?>\n<Task version="1.2"')).toBe(true)
})

test('a path that would end a line of a service file is refused', () => {
  expect(() => servicePlan('/home/x\nExecStartPre=/bin/evil', '/usr/bin/node', '/cli.js')).toThrow(
    expect.objectContaining({ code: 'unusable_path', exitCode: 2 }),
  )
})
