import type { CertificatePin } from '../certificate-pin.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'

export function setupInterrupted(): FatalError {
  const message = 'the setup was stopped; what was answered is kept: start it again to go on'
  return new FatalError(ExitCode.Interrupted, 'setup_interrupted', message)
}

/** Nobody is there to answer questions. */
export function notInteractive(): FatalError {
  const message =
    'there is no terminal to ask questions on; add --yes and give the answers with --orc, --model and --when'
  return new FatalError(ExitCode.Usage, 'not_interactive', message)
}

export function noOrc(): FatalError {
  const message = 'no Orc is named; give its address with --orc or DAISI_ORC'
  return new FatalError(ExitCode.Usage, 'no_orc', message)
}

export function invalidAddress(): FatalError {
  return new FatalError(ExitCode.Usage, 'invalid_address', 'give an address like https://orc.example')
}

export function oneOrcOnly(): FatalError {
  const message = 'a setup is for one Orc: give one --orc, and run it again for each further one'
  return new FatalError(ExitCode.Usage, 'one_orc_only', message)
}

export function certificateRefused(url: string, shown: CertificatePin): FatalError {
  const message = `no authority vouches for the certificate of ${url}; if its owner confirms the fingerprint, give it with --pin ${shown}`
  return new FatalError(ExitCode.Refused, 'certificate_refused', message)
}

export function versionTooOld(url: string): FatalError {
  const message = `${url} no longer speaks to this version; update daisi-host`
  return new FatalError(ExitCode.Refused, 'version_too_old', message)
}

export function noModel(orc: string): FatalError {
  const message = `${orc} recommends no model that fits on this machine; name one with --model (a GGUF file, https://… or hf:user/repo:quantization), or a server with --server`
  return new FatalError(ExitCode.Model, 'no_model', message)
}

export function unknownModel(text: string): FatalError {
  const message = `${text} is neither a model of the Orc's catalogue nor a file here; give --model an id of the catalogue, a GGUF file, https://… or hf:user/repo:quantization`
  return new FatalError(ExitCode.Usage, 'unknown_model', message)
}

export function tooManyOrcs(): FatalError {
  const message = 'the configuration names as many Orcs as it can; take one out of orcs in config.json first'
  return new FatalError(ExitCode.Usage, 'too_many_orcs', message)
}

export function tooManyServers(): FatalError {
  const message =
    'the configuration names as many servers as it can; take one out of servers in config.json first'
  return new FatalError(ExitCode.Usage, 'too_many_servers', message)
}
