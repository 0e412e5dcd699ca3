/** What a configuration must keep to beyond its shape, and what is weak in it although it works. */
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { trustProxies } from 'countersign/http'
import { compileHosts, compileOrigins } from 'countersign/wire'
import { issuerFindings, keyFindings } from './config-issuers.ts'
import type { Finding, KeyPath } from './config-issues.ts'
import { guardHosts, isLoopbackHost, listenOf, siteOrigin, tlsOf, writeListen } from './config-places.ts'
import { secretFindings } from './config-secrets.ts'
import type { AcceptConfig, ConfigText, GuardConfig, TlsConfig } from './config-types.ts'
import { wampFindings } from './config-wamp.ts'

/** A configuration with a way to find its files. */
export interface RuledConfig extends ConfigText {
  path(written: string): string
}

/** Methods whose credential browsers send unasked, and where. */
const ambient: Readonly<Partial<Record<AcceptConfig['method'], string>>> = {
  preauth: 'its cookie',
  certificate: 'the client certificate',
}

/** All findings: errors keep the configuration from being served. */
export function ruleFindings(config: RuledConfig): readonly Finding[] {
  return [
    ...siteFindings(config),
    ...proxyFindings(config),
    ...config.guards.flatMap((guard, index) => guardFindings(config, guard, ['guards', index])),
    ...issuerFindings(config),
    ...nameFindings(config),
    ...addressFindings(config),
    ...secretFindings(config),
  ]
}

/** The site: its files, its origins, its address, and the folder of the database. */
function siteFindings(config: RuledConfig): readonly Finding[] {
  const { site } = config
  const tls = site.tls === undefined ? [] : fileFindings(config, ['site', 'tls'], site.tls)
  return [
    ...tls,
    ...originFindings(['site', 'origins'], site.origins),
    ...cleartextFindings(config, ['site'], { ...site, tls: site.tls }),
    ...folderFindings(config),
  ]
}

/** One guard by itself; what two guards do to each other is told by `nameFindings` and `addressFindings`. */
function guardFindings(config: RuledConfig, guard: GuardConfig, path: KeyPath): readonly Finding[] {
  const ownTls = guard.tls === undefined ? [] : fileFindings(config, [...path, 'tls'], guard.tls)
  const tls = tlsOf(config, guard)
  const cleartext = cleartextFindings(config, path, { ...guard, listen: listenOf(config, guard), tls })
  return [
    ...(guard.listen === undefined && guard.tls !== undefined
      ? [
          error(
            [...path, 'tls'],
            'belongs to an address of its own; without "listen" the guard is on the site’s',
          ),
        ]
      : ownTls),
    ...(guard.listen === undefined ? [] : cleartext),
    ...(guard.dangerouslyAllowCleartext
      ? [warning([...path, 'dangerouslyAllowCleartext'], 'credentials may travel in the clear')]
      : []),
    ...originFindings([...path, 'origins'], guard.origins ?? []),
    ...hostFindings([...path, 'hosts'], guardHosts(config, guard)),
    ...wampFindings(guard, path),
    ...guard.accept.flatMap((accept, index) =>
      acceptFindings(config, { guard, accept }, [...path, 'accept', index]),
    ),
  ]
}

/** One way in. Ambient credentials need an Origin rule, else any page could use its visitor's (CWE-1385). */
function acceptFindings(
  config: RuledConfig,
  { guard, accept }: { readonly guard: GuardConfig; readonly accept: AcceptConfig },
  path: KeyPath,
): readonly Finding[] {
  const findings: Finding[] = []
  const carried = ambientPlace(accept)
  if (carried !== undefined && guard.origins === undefined) {
    const message = `browsers send ${carried} unasked, whatever page asks: list the pages in guards[].origins`
    findings.push(error(path, message))
  }
  if (accept.method === 'certificate') findings.push(...certificateFindings(config, { guard, accept }, path))
  if (accept.method === 'session' && accept.from.includes('frame-cookie') && guard.listen === undefined) {
    findings.push(
      error(path, 'frame-cookie needs a "listen" of its own: the frame stands on the socket’s own origin'),
    )
  }
  if (accept.method === 'jwt') findings.push(...jwtFindings(accept, path))
  if (accept.method === 'wampcra' && config.challengeSecrets.length === 0) {
    findings.push(warning(path, 'no challengeSecrets are listed: only secrets made at login will do'))
  }
  return findings
}

/** What browsers attach by themselves; `undefined`: nothing, the page must say it. */
function ambientPlace(accept: AcceptConfig): string | undefined {
  if (accept.method !== 'session') return ambient[accept.method]
  return accept.from.some((place) => place !== 'first-message') ? 'its cookie' : undefined
}

/** A server that merely asks for a certificate keeps Chromium from every other method at that address. */
function certificateFindings(
  config: RuledConfig,
  {
    guard,
    accept,
  }: { readonly guard: GuardConfig; readonly accept: Extract<AcceptConfig, { method: 'certificate' }> },
  path: KeyPath,
): readonly Finding[] {
  const findings: Finding[] = []
  if (guard.listen === undefined || guard.tls === undefined) {
    findings.push(
      error(
        path,
        'needs a "listen" and a "tls" of its own: a server that asks for certificates breaks other doors',
      ),
    )
  }
  if (guard.accept.length > 1)
    findings.push(warning(path, 'asking for certificates keeps Chromium from the other methods here'))
  if (accept.authority === undefined && Object.keys(accept.fingerprints).length === 0) {
    findings.push(error(path, 'needs an "authority" or "fingerprints", else nobody could enter'))
  }
  if (accept.authority !== undefined)
    findings.push(...missingFile(config, [...path, 'authority'], accept.authority))
  return findings
}

/** A foreign issuer needs keys and algorithms, named here and nowhere else: a token never brings its own. */
function jwtFindings(accept: Extract<AcceptConfig, { method: 'jwt' }>, path: KeyPath): readonly Finding[] {
  const foreign = accept.issuer !== undefined
  const needed = (['jwks', 'algorithms'] as const).filter((key) => (accept[key] !== undefined) !== foreign)
  const why = foreign
    ? 'is missing: it says how tokens of the issuer are verified'
    : 'is only for a foreign "issuer"; the site’s own tokens need none'
  const findings = needed.map((key) => error([...path, key], why))
  return [...findings, ...keyFindings(accept.jwks, path)]
}

/** Off loopback everything is encrypted, unless a proxy does it or someone says it shall not be. */
function cleartextFindings(
  config: RuledConfig,
  path: KeyPath,
  at: Pick<GuardConfig, 'dangerouslyAllowCleartext' | 'tls'> & {
    readonly listen: { readonly host: string; readonly port: number }
  },
): readonly Finding[] {
  if (at.tls !== undefined || isLoopbackHost(at.listen.host)) return []
  const where = writeListen(at.listen)
  if (config.proxies !== undefined)
    return [warning([...path, 'listen'], `${where} is cleartext: only the trusted proxy must reach it`)]
  if (at.dangerouslyAllowCleartext)
    return [warning([...path, 'listen'], `${where} is cleartext: whoever listens in can take credentials`)]
  return [
    error(
      [...path, 'listen'],
      `${where} would be cleartext beyond this machine, where credentials can be read: give "tls", name the proxy that ends TLS in "proxies", or set dangerouslyAllowCleartext: true`,
    ),
  ]
}

/** Whoever is trusted can speak for any client: addresses only, since names can be made to point elsewhere. */
function proxyFindings(config: RuledConfig): readonly Finding[] {
  if (config.proxies === undefined) return []
  return config.proxies.trusted.flatMap((entry, index) =>
    works(() => trustProxies({ trusted: [entry] }))
      ? []
      : [
          error(
            ['proxies', 'trusted', index],
            'not an address, a CIDR block or "unix"; names are not believed',
          ),
        ],
  )
}

/** Two guards of one name would take each other's tickets. */
function nameFindings(config: RuledConfig): readonly Finding[] {
  return config.guards.flatMap((guard, index) =>
    config.guards.findIndex(({ name }) => name === guard.name) < index
      ? [
          error(
            ['guards', index, 'name'],
            'is taken by an earlier guard: tickets of one would open the other',
          ),
        ]
      : [],
  )
}

/** Each address and path serves one guard, and the site keeps its own pages. */
function addressFindings(config: RuledConfig): readonly Finding[] {
  const seen = new Map<string, string>()
  const sitePaths = ['/', '/login', '/logout', '/me', '/healthz']
  return config.guards.flatMap((guard, index) => {
    const where = `${writeListen(listenOf(config, guard))}${guard.listen === undefined ? guard.path : ''}`
    const earlier =
      seen.get(where) ??
      (guard.listen !== undefined && where === writeListen(config.site.listen) ? 'the site' : undefined)
    seen.set(where, guard.name)
    if (earlier !== undefined)
      return [error(['guards', index], `${where} is taken by ${earlier}: choose another "listen" or "path"`)]
    if (guard.listen === undefined && sitePaths.includes(guard.path)) {
      return [
        error(
          ['guards', index],
          `${guard.path} is a page of the site: give the guard another "path", or a "listen" of its own`,
        ),
      ]
    }
    return []
  })
}

/** Origins are compared as text, so what is not written as browsers send it would never match. */
function originFindings(path: KeyPath, list: readonly string[]): readonly Finding[] {
  return list.flatMap((text, index) => {
    if (!works(() => compileOrigins([text]))) {
      return [
        error(
          [...path, index],
          'not an origin; write scheme://host[:port] as browsers send it, in lower case and without a path',
        ),
      ]
    }
    if (text === 'null')
      return [warning([...path, index], 'sandboxed and local pages of anyone have the origin "null"')]
    if (text.includes('*'))
      return [
        warning([...path, index], 'every subdomain is trusted, also one that was forgotten or taken over'),
      ]
    return text.startsWith('http:') && !isLoopbackHost(new URL(text).hostname)
      ? [warning([...path, index], 'a page that came in the clear can be changed on the way')]
      : []
  })
}

function hostFindings(path: KeyPath, list: readonly string[]): readonly Finding[] {
  return list.flatMap((text, index) =>
    works(() => compileHosts([text]))
      ? []
      : [error([...path, index], 'not a host; write example.com, example.com:8443 or localhost:*')],
  )
}

/** TLS files that are missing, and a private key that others can read. */
function fileFindings(config: RuledConfig, path: KeyPath, files: TlsConfig): readonly Finding[] {
  return (['cert', 'key'] as const).flatMap((key) => {
    const file = files[key]
    const missing = missingFile(config, [...path, key], file)
    const open = missing.length === 0 && key === 'key' && (statSync(config.path(file)).mode & 0o077) !== 0
    return open ? [warning([...path, key], 'the private key can be read by others: chmod 600 it')] : missing
  })
}

/** Now rather than at the start: whoever checks a configuration is still at the keyboard. */
function missingFile(config: RuledConfig, path: KeyPath, file: string): readonly Finding[] {
  return existsSync(config.path(file)) ? [] : [error(path, `there is no file ${config.path(file)}`)]
}

function folderFindings(config: RuledConfig): readonly Finding[] {
  const folder = dirname(config.path(config.store))
  return existsSync(folder) ? [] : [error(['store'], `there is no folder ${folder}`)]
}

/** The origins whose pages may use the site, its own first. */
export function siteOrigins(config: ConfigText): readonly string[] {
  return [siteOrigin(config), ...config.site.origins]
}

/** The library's own check is the rule; here it is only asked. */
function works(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}

function error(path: KeyPath, message: string): Finding {
  return { level: 'error', path, message }
}

function warning(path: KeyPath, message: string): Finding {
  return { level: 'warning', path, message }
}
