/** `countersign check`: a configuration in plain words, and what is weak in it. */
import { guardUrl, listenOf, siteIsSecure, siteOrigin, tlsOf, writeListen } from '../server/config-places.ts'
import type { Config, PlacedFinding } from '../server/config.ts'
import type { GuardConfig } from '../server/config-types.ts'
import { explainAccept, explainLimits } from './check-words.ts'
import type { Call, Command } from './command.ts'
import { findingLines, findingValues, readConfigFile } from './config-file.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { paint } from './terminal.ts'

/** Checks. */
export const check: Command = {
  name: 'check',
  summary: 'Explain a configuration in plain words, and say what is weak in it',
  words: ['CONFIG'],
  options: {},
  notes: ['Starts nothing and changes nothing. Warnings are counted; only errors make the exit code 3.'],
  run: (call) => Promise.resolve(explain(call)),
}

function explain(call: Call): ExitCode {
  const read = readConfigFile(call.word)
  if (read.kind === 'wrong') {
    tell(call, read.findings, undefined)
    return exitCodes.config
  }
  tell(call, read.config.findings, read.config)
  return exitCodes.ok
}

function tell(call: Call, findings: readonly PlacedFinding[], config: Config | undefined): void {
  const errors = findings.filter(({ level }) => level === 'error').length
  const warnings = findings.length - errors
  const value = {
    ok: errors === 0,
    errors,
    warnings,
    findings: findingValues(findings),
    ...(config === undefined
      ? {}
      : { site: siteOrigin(config), guards: config.guards.map((guard) => guardFacts(config, guard)) }),
  }
  const { stdout, env } = call.around
  const verdict =
    errors === 0 ? paint(stdout, env, 'good', 'can be served') : paint(stdout, env, 'bad', 'cannot be served')
  call.answer(value, [
    ...(config === undefined ? [] : [...describe(config), '']),
    ...findingLines(call, call.word, findings),
    `${call.word} ${verdict}: ${count(errors, 'error')}, ${count(warnings, 'warning')}`,
  ])
}

function guardFacts(config: Config, guard: GuardConfig): object {
  return {
    name: guard.name,
    url: guardUrl(config, guard),
    methods: guard.accept.map(({ method }) => method),
    origins: guard.origins ?? [],
    application: guard.application,
  }
}

function describe(config: Config): readonly string[] {
  const { site, proxies } = config
  return [
    `The site is ${siteOrigin(config)}/, listening on ${writeListen(site.listen)}${site.tls === undefined ? '' : ' with TLS'}.`,
    `  People log in there with a password; their session cookie ${siteIsSecure(config) ? 'travels over TLS only' : 'is not marked Secure, since the site is plain http'}.`,
    `  Everything is kept in ${config.path(config.store)}.`,
    config.keyFile === undefined
      ? '  Secrets are sealed by the key in COUNTERSIGN_KEY.'
      : `  Secrets are sealed by the key in ${config.path(config.keyFile)}, unless COUNTERSIGN_KEY is set.`,
    ...(proxies === undefined
      ? []
      : [
          `  ${proxies.trusted.join(', ')} ${proxies.trusted.length === 1 ? 'is' : 'are'} believed about clients (${proxies.header}).`,
        ]),
    ...(config.challengeSecrets.length === 0
      ? []
      : [
          `  ${count(config.challengeSecrets.length, 'secret')} for challenge-response ${config.challengeSecrets.length === 1 ? 'is' : 'are'} listed.`,
        ]),
    ...config.guards.flatMap((guard) => ['', ...describeGuard(config, guard)]),
  ]
}

function describeGuard(config: Config, guard: GuardConfig): readonly string[] {
  const tls = tlsOf(config, guard) === undefined ? '' : ' with TLS'
  return [
    `Guard "${guard.name}" is ${guardUrl(config, guard)}, listening on ${writeListen(listenOf(config, guard))}${tls}.`,
    `  Pages: ${pagesOf(guard)}.`,
    ...guard.accept.map((accept) => `  Lets in: ${explainAccept(accept, guard.name)}.`),
    `  Limits: ${explainLimits(guard)}.`,
    `  Behind it: ${guard.application === 'echo' ? 'the built-in application, which greets and echoes' : guard.application}.`,
  ]
}

function pagesOf(guard: GuardConfig): string {
  if (guard.origins === undefined || guard.origins.length === 0)
    return 'none; only programs, which send no Origin'
  return `${guard.origins.join(', ')}; programs may connect, too, except with a cookie`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
