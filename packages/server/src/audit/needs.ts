/** Preconditions that checks share. */
import type { Need, Scene } from './check.ts'
import type { Trigger } from './options.ts'
import type { View } from './oracle.ts'
import type { Protocol } from './target.ts'

/** Identity or private data can be recognised. */
export const sight: Need = {
  missing: 'a whoami probe or patterns of private data',
  met: ({ oracle }) => oracle.sees,
}

/** An identity that gets in, and is somebody there. */
export const low: Need = {
  missing: 'an identity "low" that can log in and enter',
  met: ({ baseline, low: identity }) => identity !== undefined && baseline.low?.view.kind === 'open',
}

/** A second identity with more rights. */
export const high: Need = {
  missing: 'an identity "high" that can log in and enter',
  met: ({ baseline, high: identity }) => identity !== undefined && baseline.high?.view.kind === 'open',
}

/** Credentials that a browser sends by itself. */
export const ambient: Need = {
  missing:
    'credentials that a browser sends by itself (cookie, form login, Basic, client certificate) for the identity "low"',
  met: ({ low: identity }) => identity?.ambient === true,
}

/** Credentials that a browser sends by itself, perhaps with others beside them. */
export const ambientBesides: Need = {
  missing: 'a cookie, a form login, Basic or a client certificate for the identity "low"',
  met: ({ low: identity }) => identity?.hasAmbient === true,
}

/** TLS. */
export const tls: Need = {
  missing: 'a target behind TLS',
  met: ({ endpoint }) => endpoint.url.protocol === 'wss:',
}

/** Consent to disturb. */
export const intrusive: Need = {
  missing: 'the option --intrusive',
  met: ({ options }) => options.intrusive === true,
}

/** Consent to requests that have crashed servers. */
export const crashProbes: Need = {
  missing: 'the option --allow-crash-probes or --intrusive',
  met: ({ options }) => options.allowCrashProbes === true || options.intrusive === true,
}

/** Messages with an effect that may be tried. */
export const canary: Need = {
  missing: 'a canary: a harmless message with an effect that can be seen',
  met: ({ options }) => (options.canaries?.length ?? 0) > 0,
}

/** A page that belongs to the socket. */
export const page: Need = {
  missing: 'the page that opens the socket',
  met: ({ endpoint }) => endpoint.page !== undefined,
}

/** One of these protocols. */
export function speaks(...protocols: readonly Protocol[]): Need {
  return {
    missing: `a target that speaks ${protocols.join(' or ')}`,
    met: ({ endpoint }) => protocols.includes(endpoint.protocol),
  }
}

/** A hook for one trigger. */
export function hook(trigger: Trigger): Need {
  return { missing: `a hook for "${trigger}"`, met: ({ options }) => options.hooks?.[trigger] !== undefined }
}

/** Whether a view is more than what anybody gets: another identity, or private data that nobody else hears. */
export function isSomebody(view: View, { baseline }: Scene): boolean {
  if (view.kind !== 'open') return false
  const nobody = baseline.anonymous.view
  if (nobody.kind !== 'open') return view.identity !== undefined || view.heard.length > 0
  if (view.identity !== undefined && view.identity !== nobody.identity) return true
  return view.heard.some((pattern) => !nobody.heard.includes(pattern))
}

/** A token that is fetched for each attempt. */
export const token: Need = {
  missing: 'a token of the identity "low" (identities.low.token)',
  met: ({ low: identity }) => identity?.options.token !== undefined,
}

/** Names that exist. */
export const knownUsers: Need = {
  missing: 'two or more names of accounts that exist (knownUsers)',
  met: ({ options }) => (options.knownUsers?.length ?? 0) >= 2,
}

/**
 * Whether a view is that of somebody who was let in: by identity or data where these can be recognised, else by a door
 * that refuses everybody else.
 */
export function isIn(view: View, scene: Scene): boolean {
  if (scene.oracle.sees) return isSomebody(view, scene)
  return view.kind === 'open' && scene.baseline.anonymous.view.kind === 'refused'
}

/** An account to guess at. */
export const guessed: Need = {
  missing: 'an account that exists for being guessed at (guessed.user)',
  met: ({ options }) => options.guessed !== undefined,
}
