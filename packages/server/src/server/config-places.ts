/** What follows from a configuration about addresses: where things listen and where clients reach them. */
import type { ConfigText, GuardConfig, ListenAddress, TlsConfig } from './config-types.ts'

/** One listener, with everything that shares it. */
export interface ListenerPlan {
  readonly listen: ListenAddress
  readonly tls: TlsConfig | undefined
  readonly guards: readonly GuardConfig[]
  /** Whether the site is on it, too. */
  readonly site: boolean
}

/** Whether only this machine can reach an address. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** The address of a guard: its own, or the site's. */
export function listenOf(config: ConfigText, guard: GuardConfig): ListenAddress {
  return guard.listen ?? config.site.listen
}

/** The TLS files of a guard: its own, or the site's where it has no address of its own. */
export function tlsOf(config: ConfigText, guard: GuardConfig): TlsConfig | undefined {
  return guard.listen === undefined ? config.site.tls : guard.tls
}

/** Address and port as one writes them. */
export function writeListen({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Where browsers reach the site: `https://chat.example.com`. */
export function siteOrigin(config: ConfigText): string {
  const { url, tls, listen } = config.site
  return new URL(url ?? `${tls === undefined ? 'http' : 'https'}://${writeListen(listen)}`).origin
}

/** Whether the site is reached over TLS, its own or a proxy's. */
export function siteIsSecure(config: ConfigText): boolean {
  return siteOrigin(config).startsWith('https:')
}

/** Where clients reach a guard: `wss://chat.example.com/socket`. */
export function guardUrl(config: ConfigText, guard: GuardConfig): string {
  if (guard.url !== undefined) return new URL(guard.url).href
  if (guard.listen === undefined) return new URL(guard.path, siteOrigin(config).replace(/^http/, 'ws')).href
  const scheme = guard.tls === undefined ? 'ws' : 'wss'
  return new URL(guard.path, `${scheme}://${writeListen(guard.listen)}`).href
}

/** Hosts that a guard answers to. */
export function guardHosts(config: ConfigText, guard: GuardConfig): readonly string[] {
  return guard.hosts ?? [new URL(guardUrl(config, guard)).host]
}

/** Everything that must be opened, the site's listener first. */
export function listenersOf(config: ConfigText): readonly ListenerPlan[] {
  const { listen, tls } = config.site
  const shared = config.guards.filter((guard) => guard.listen === undefined)
  const own = config.guards.filter((guard) => guard.listen !== undefined)
  return [
    { listen, tls, guards: shared, site: true },
    ...own.map((guard) => ({
      listen: listenOf(config, guard),
      tls: guard.tls,
      guards: [guard],
      site: false,
    })),
  ]
}
