import type { SecretWatch } from './secret-watch.ts'

/** What a program writes when something went wrong that nobody thought of. */
const FAULT =
  /"event":"(?:request_failed|internal\w*)"|uncaught|unhandled|internal error|TypeError|RangeError|SyntaxError|ReferenceError|SQLITE|D1_|stack overflow|kj\/.*exception|Exception:/i
/** What workerd writes when it is asked to be a proxy (RFC 9110 §9.3.6), which no Worker can. */
const HARMLESS = /does not export a connect\(\) function|Received a connect event but we lack a handler/
const SAMPLES = 3

/** Every line that the programs under test write: counted by kind, and looked through for secrets and faults. */
export class LogBook {
  readonly #watch: SecretWatch
  readonly #onFault: (kind: string, line: string) => void
  readonly kinds = new Map<string, { count: number; samples: string[] }>()
  lines = 0

  constructor(watch: SecretWatch, onFault: (kind: string, line: string) => void) {
    this.#watch = watch
    this.#onFault = onFault
  }

  note(program: string, line: string): void {
    this.lines++
    const name =
      /"event":"([\w.-]+)"/.exec(line)?.[1] ?? /"msg":"([^"]{1,40})/.exec(line)?.[1] ?? line.slice(0, 60)
    const kind = this.kinds.get(`${program}: ${name}`) ?? { count: 0, samples: [] }
    kind.count++
    if (kind.samples.length < SAMPLES) kind.samples.push(line)
    this.kinds.set(`${program}: ${name}`, kind)
    for (const secret of this.#watch.inLog(line))
      this.#onFault(`${program} logged a secret (${secret})`, line)
    if (FAULT.test(line) && !HARMLESS.test(line)) this.#onFault(`${program} logged a fault`, line)
  }
}
