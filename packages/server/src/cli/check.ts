/** `countersign check`: a configuration in plain words, and what is weak in it. */
import { guardUrl, listenOf, siteIsSecure, siteOrigin, tlsOf, writeListen } from '../server/config-places.ts'
import type { Config, PlacedFinding } from '../server/config.ts'
import type { GuardConfig } from '../server/config-types.ts'
import { wampTransport } from '../server/config-wamp.ts'
import { explainMethods, explainNode, explainRealms, nodeFacts } from '../server/crossbar/explain.ts'
import { nodeFindings } from '../server/crossbar/explain-findings.ts'
import type { RouterNode } from '../server/crossbar/node.ts'
import { explainAccept, explainIssuer, explainLimits } from './check-words.ts'
import type { Call, Command } from './command.ts'
import { findingLines, findingValues, readConfigFile, type CrossbarRead } from './config-file.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { paint } from './terminal.ts'

/** Checks. */
export const check: Command = {
  name: 'check',
  summary: 'Explain a configuration in plain words, and say what is weak in it',
  words: ['CONFIG'],
  options: {},
  notes: [
    'CONFIG is a file of this program or a node configuration of Crossbar.io.',
    'Starts nothing and changes nothing. Warnings are counted; only errors make the exit code 3.',
  ],
  run: (call) => Promise.resolve(explain(call)),
}

function explain(call: Call): ExitCode {
  const read = readConfigFile(call.word, call.around.env)
  if (read.kind === 'wrong') return tell(call, read.findings, undefined)
  if (read.kind === 'crossbar') return explainCrossbar(call, read)
  const { config } = read
  const guards = config.guards.map((guard) => guardFacts(config, guard))
  return tell(call, config.findings, {
    facts: { site: siteOrigin(config), guards, ...issuerFacts(config) },
    lines: describe(config),
  })
}

/** What the text alone does not show is found beside it: files that are named and not there. */
function explainCrossbar(call: Call, { node, text, findings }: CrossbarRead): ExitCode {
  const all = [...findings, ...nodeFindings(node, { text, dangerouslyAllowCleartext: false })]
  return tell(call, all, { facts: nodeFacts(node), lines: explainNode(node) })
}

/** A configuration in words and as values. */
interface Explained {
  readonly facts: object
  readonly lines: readonly string[]
}

function tell(call: Call, findings: readonly PlacedFinding[], explained: Explained | undefined): ExitCode {
  const errors = findings.filter(({ level }) => level === 'error').length
  const warnings = findings.length - errors
  const value = { ok: errors === 0, errors, warnings, findings: findingValues(findings), ...explained?.facts }
  const { stdout, env } = call.around
  const verdict =
    errors === 0 ? paint(stdout, env, 'good', 'can be served') : paint(stdout, env, 'bad', 'cannot be served')
  call.answer(value, [
    ...(explained === undefined ? [] : [...explained.lines, '']),
    ...findingLines(call, call.word, findings),
    `${call.word} ${verdict}: ${count(errors, 'error')}, ${count(warnings, 'warning')}`,
  ])
  return errors === 0 ? exitCodes.ok : exitCodes.config
}

function guardFacts(config: Config, guard: GuardConfig): object {
  return {
    name: guard.name,
    url: guardUrl(config, guard),
    methods: guard.accept.map(({ method }) => method),
    origins: guard.origins ?? [],
    ...(guard.wamp === undefined ? { application: guard.application } : wampFacts(guard.wamp)),
  }
}

/** Nothing where none is named, as before there were any. */
function issuerFacts({ issuers }: Config): object {
  if (issuers.length === 0) return {}
  return { issuers: issuers.map(({ issuer, audience, algorithms }) => ({ issuer, audience, algorithms })) }
}

function wampFacts(wamp: RouterNode): object {
  const { auth, serializers } = wampTransport(wamp)
  return {
    protocol: 'wamp',
    methods: auth.methods.filter(({ first }) => first).map(({ method }) => method),
    serializers,
    realms: wamp.realms.map(({ name, roles }) => ({ name, roles: roles.map((role) => role.name) })),
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
    ...describeIssuers(config),
    ...config.guards.flatMap((guard) => ['', ...describeGuard(config, guard)]),
  ]
}

/** Where identity providers tell of what has ended. */
function describeIssuers(config: Config): readonly string[] {
  const { issuers } = config
  if (issuers.length === 0) return []
  const at = (path: string): string => new URL(path, siteOrigin(config)).href
  return [
    `  Logouts are told at ${at('/countersign/backchannel-logout')}, security events at ${at('/countersign/events')}:`,
    ...issuers.map((issuer) => `    ${explainIssuer(issuer)}.`),
  ]
}

function describeGuard(config: Config, guard: GuardConfig): readonly string[] {
  const tls = tlsOf(config, guard) === undefined ? '' : ' with TLS'
  return [
    `Guard "${guard.name}" is ${guardUrl(config, guard)}, listening on ${writeListen(listenOf(config, guard))}${tls}.`,
    `  Pages: ${pagesOf(guard)}.`,
    ...guard.accept.map((accept) => `  Lets in: ${explainAccept(accept, guard.name)}.`),
    ...(guard.wamp === undefined ? [] : explainJoining(guard.wamp).map((line) => `  ${line}`)),
    `  Limits: ${explainLimits(guard)}.`,
    ...(guard.wamp === undefined
      ? [
          `  Behind it: ${guard.application === 'echo' ? 'the built-in application, which greets and echoes' : guard.application}.`,
        ]
      : ['  Behind it: a WAMP router.', ...explainRealms(guard.wamp).map((line) => `    ${line}`)]),
  ]
}

/** Who may join a guard of WAMP, in which forms. */
function explainJoining(wamp: RouterNode): readonly string[] {
  const node = wampTransport(wamp)
  return [`Speaks WAMP: ${node.serializers.join(', ')}.`, ...explainMethods(node)]
}

function pagesOf(guard: GuardConfig): string {
  if (guard.origins === undefined || guard.origins.length === 0)
    return 'none; only programs, which send no Origin'
  return `${guard.origins.join(', ')}; programs may connect, too, except with a cookie`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
