import type { Place } from './case.ts'
import type { Credential } from './credential.ts'
import { httpOrigin } from './facts.ts'

/** How a socket is opened and what is said on it first. */
export interface Plan {
  readonly url: string
  readonly protocols: readonly string[]
  /** Messages sent as soon as it is open. */
  readonly first: readonly string[]
  /** Answers challenges. */
  readonly prover: Prover | undefined
  /** Fetched with credentials beforehand: Chromium then offers its client certificate to the socket as well. */
  readonly warmUp: string | undefined
}

/** What answers a challenge: a secret, or the answer to an earlier one. */
export type Prover =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'old-signature'; readonly signature: string }

/** The public subprotocol, which the server selects. */
export const publicSubprotocol = 'countersign.v1'

/** What a plan is made from. */
export interface PlanParts {
  readonly url: string
  readonly credential: Credential | undefined
  readonly oldSignature: string
}

type Planner = (
  url: string,
  shown: { readonly text: string; readonly name: string },
  parts: PlanParts,
) => Partial<Plan>

const withUser = (url: string, user: string, password: string): string =>
  url.replace('://', `://${encodeURIComponent(user)}:${encodeURIComponent(password)}@`)

const withParameter = (url: string, name: string, value: string): string => {
  const target = new URL(url)
  target.searchParams.set(name, value)
  return target.href
}

const hello = (authid: string): string => JSON.stringify({ type: 'hello', authid, methods: ['wampcra'] })

const planners: Readonly<Record<Place, Planner>> = {
  nothing: () => ({}),
  // The lab's server connects there, not the page.
  program: () => ({}),
  'first-text': (_url, { text }) => ({ first: [text] }),
  'first-json': (_url, { text }) => ({ first: [JSON.stringify({ type: 'auth', token: text })] }),
  query: (url, { text }) => ({ url: withParameter(url, 'ticket', text) }),
  csrf: (url, { text }) => ({ url: withParameter(url, 'csrf', text) }),
  'user-name': (url, { text }) => ({ url: withUser(url, text, '') }),
  'token-password': (url, { text }) => ({ url: withUser(url, 'token', text) }),
  'user-password': (url, { text, name }) => ({ url: withUser(url, name, text) }),
  subprotocol: (_url, { text }) => ({
    protocols: text === '' ? [publicSubprotocol] : [publicSubprotocol, `countersign.bearer.${text}`],
  }),
  url: (_url, { text }) => ({ url: text }),
  certificate: (url, { text }, { credential }) => ({
    url: credential?.kind === 'url' ? text : url,
    warmUp: `${httpOrigin(url)}/`,
  }),
  challenge: (_url, { text, name }) => ({ first: [hello(name)], prover: { kind: 'secret', secret: text } }),
  'old-signature': (_url, { name }, { oldSignature }) => ({
    first: [hello(name)],
    prover: { kind: 'old-signature', signature: oldSignature },
  }),
}

/** Puts a credential where the case wants it. */
export function planAt(at: Place, parts: PlanParts): Plan {
  const { credential } = parts
  const text =
    credential?.kind === 'pair'
      ? credential.secret
      : credential?.kind === 'url'
        ? credential.url
        : credential?.text
  const name = credential?.kind === 'pair' ? credential.username : ''
  const idle: Plan = { url: parts.url, protocols: [], first: [], prover: undefined, warmUp: undefined }
  return { ...idle, ...planners[at](parts.url, { text: text ?? '', name }, parts) }
}

/** The URL with the id under which the server records the exchange; doors ignore it. */
export function withProbe(url: string, probe: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}probe=${probe}`
}

/** The URL by which the application behind the door is asked for numbered messages. */
export function withTicks(url: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}ticks=1`
}
