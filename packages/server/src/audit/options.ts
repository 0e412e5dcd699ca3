/** What an audit is told beside its target. Every member may be left out; what is missing makes checks say "not tested". */
import type { Allowance } from './budget.ts'
import type { Probe } from './dialects/dialect.ts'
import type { ClientCertificate, WampSecret } from './presented.ts'
import type { Protocol } from './target.ts'
import type { TlsOptions } from './dial.ts'

/** How the scanner finds out who a socket thinks it is. */
export interface Whoami {
  /** Sent once the socket is open; left out where the server greets by itself. */
  readonly send?: Probe
  /** A regular expression over one message; its group `identity`, or its first, is who one is. */
  readonly expect: string
}

/** Where a token goes in an attempt; `{token}` stands for it. */
export type TokenPlace =
  | { readonly query: string }
  | { readonly header: string; readonly value?: string }
  | { readonly subprotocols: readonly string[] }
  | { readonly first: string }
  /** A member of Socket.IO's `auth`, or of the payload of `connection_init`. */
  | { readonly payload: string }

/** Which part of an answer is meant: a member of its JSON, or what a regular expression finds in it, by its first group. */
export type Taken = { readonly member: string } | { readonly pattern: string }

/**
 * A request of a login, after the form where there is one. `{name}` in its `url`, `headers` and `body` stands for what an
 * earlier step took under that name.
 */
export interface LoginStep {
  /** Asked with the identity's cookies and headers; cookies that come back are kept. */
  readonly url: string
  /** @default 'POST' */
  readonly method?: string
  /** An `Origin` among them takes the place of the target's own. */
  readonly headers?: Readonly<Record<string, string>>
  /** JSON where it looks like it, else the fields of a form. */
  readonly body?: string
  /** Parts of the answer, by the names under which they are used: by later steps, by `headers`, `wamp` and `token`. */
  readonly take?: Readonly<Record<string, Taken>>
}

/** A token that is fetched anew for each attempt. */
export interface TokenOptions {
  /** A program whose standard output is the token; never run by a shell. */
  readonly command?: readonly string[]
  /** Asked with the identity's cookies and headers; the answer is JSON, or the token itself. */
  readonly url?: string
  /** @default 'POST' */
  readonly method?: string
  /** JSON that is sent along. */
  readonly body?: string
  /** The answer's member. @default the first of ticket, token, access_token, csrf */
  readonly member?: string
  /** A regular expression over the answer instead; its first group is the token. */
  readonly pattern?: string
  readonly as: TokenPlace
  /** One token opens one socket. */
  readonly singleUse?: boolean
}

/** A form that logs in. */
export interface FormOptions {
  readonly url: string
  readonly fields: Readonly<Record<string, string>>
  /** A hidden field of the form, whose value is taken from its page first. */
  readonly csrf?: string
  /** Sends the fields as JSON. @default false */
  readonly json?: boolean
}

/** How one identity logs in. */
export interface LoginOptions {
  /** `name=value; other=value`, as in a `Cookie` field. */
  readonly cookie?: string
  readonly headers?: Readonly<Record<string, string>>
  /** User and password of HTTP Basic, with a colon between. */
  readonly basic?: string
  readonly form?: FormOptions
  /** Asked once for each login, in order. */
  readonly steps?: readonly LoginStep[]
  readonly token?: TokenOptions
  readonly wamp?: Omit<WampSecret, 'secret'> & Partial<WampSecret>
  /** The certificate that this identity shows, and nobody else. */
  readonly tls?: ClientCertificate
}

/**
 * A message that only some may send, with an effect that can be seen and that does no harm. `{marker}` in any of its
 * members stands for a text that is new each time, so that an effect is known for that of one message.
 */
export interface Canary {
  readonly name: string
  readonly send: Probe
  /** A regular expression over what the identity `seenBy` hears when the message had its effect. */
  readonly effect: string
  /** `sender`: what it gives is told to whoever sends it, and to nobody else. @default 'high' */
  readonly seenBy?: 'low' | 'high' | 'sender'
  /** Who may send it. @default 'high' */
  readonly allowedFor?: 'low' | 'high'
  /** Sent by `allowedFor` afterwards. */
  readonly undo?: Probe
  /** Sent by `seenBy` beforehand, where only those hear the effect who have subscribed. */
  readonly watch?: Probe
}

/** Something that belongs to one identity alone, and that others might read. `{marker}` as in a canary. */
export interface Resource {
  readonly name: string
  readonly of: 'low' | 'high'
  /** What its owner sends in order to read it, or to hear of it. */
  readonly subscribe: Probe
  /** A regular expression over one message that only the owner may hear. */
  readonly data: string
  /** Sent by the owner from another socket, so that there is something to hear. */
  readonly trigger?: Probe
  /** Asks for what was said before. */
  readonly history?: Probe
  /** What nobody but its owner may do to it. */
  readonly tamper?: Tampering
}

/** A message that changes or ends what belongs to somebody. */
export interface Tampering {
  /** A regular expression over what the owner hears after subscribing; its first group is what `{id}` stands for in `send`. */
  readonly id?: string
  /** A text that is nothing but `{id}` becomes a number where the id is one. */
  readonly send: Probe
  /** A regular expression over what the owner hears when it was done. */
  readonly harm: string
}

/** A further namespace of Socket.IO, or realm of WAMP. */
export interface Place {
  readonly name: string
  /** Who may enter. @default 'low' */
  readonly allowedFor?: 'anyone' | 'low' | 'high'
}

/** A GraphQL field that may stand in itself: `{ viewer { friends { friends { name } } } }`. */
export interface Nesting {
  /** A query; `{nested}` in it stands for the selection that grows. */
  readonly query: string
  readonly field: string
  /** The innermost field. */
  readonly leaf: string
}

/** What the owner's site does from outside, so that its effect on an open socket can be seen. */
export interface Hook {
  readonly command?: readonly string[]
  /** Asked with the cookies and headers of the identity that is concerned; `{name}` in its members as in those of a step. */
  readonly url?: string
  /** @default 'POST' */
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Makes up for it: enables the account again, gives the role or the password back. */
  readonly undo?: Omit<Hook, 'undo'>
}

/** A token that ends soon, shown where the token of `low` goes. */
export interface ExpiringToken extends Omit<TokenOptions, 'as' | 'singleUse'> {
  /** @default where the token of `low` goes */
  readonly as?: TokenPlace
  /** How long it is good, milliseconds. */
  readonly ttlMs: number
  /** How much longer the target may take it, for clocks that differ, milliseconds, at most 60000. @default 1000 */
  readonly skewMs?: number
}

/** A token that the target's own issuer signs for something else: this socket must refuse it. */
export interface MisdirectedToken extends Omit<TokenOptions, 'as' | 'singleUse'> {
  /** What is wrong with it: `another audience`. */
  readonly name: string
}

/** Public keys with which the target verifies its tokens. */
export interface PublicKeys {
  /** Address of a JSON Web Key Set, or of a PEM file. */
  readonly url?: string
  /** Path of one. */
  readonly file?: string
}

/** An account that exists for being guessed at. It may be locked afterwards. */
export interface GuessedAccount {
  readonly user: string
  /** The right password, for the look whether its holder still gets in. */
  readonly password?: string
}

/** Events that end or change what a socket may do. All concern the identity `low`. */
export type Trigger = 'logout' | 'expiry' | 'password' | 'disable' | 'role' | 'kill'

/** Options of `audit`. */
export interface AuditOptions {
  /** @default found out */
  readonly protocol?: Protocol
  /** The origin of the target's own page. @default the page's, else the endpoint's own */
  readonly origin?: string
  readonly page?: string
  /** Further addresses of the same socket, `ws:` or `wss:`, at most 8: a ticket that is spent at one is spent at all. */
  readonly nodes?: readonly string[]
  readonly namespace?: string
  readonly realm?: string
  readonly subprotocols?: readonly string[]
  readonly identities?: { readonly low?: LoginOptions; readonly high?: LoginOptions }
  readonly whoami?: Whoami
  /** Regular expressions over messages that only those may hear who have logged in. */
  readonly private?: readonly string[]
  /** Anonymous visitors are welcome, and may read what they hear. @default false */
  readonly public?: boolean
  readonly canaries?: readonly Canary[]
  readonly resources?: readonly Resource[]
  /** Namespaces or realms beside the one that is audited. */
  readonly places?: readonly Place[]
  /** Messages that `low` may send; they are changed and sent again. A recording brings its own. @default whoami's */
  readonly messages?: readonly Probe[]
  /** The role that a visitor would like to have. @default 'admin' */
  readonly privilegedRole?: string
  /** @default a nesting of GraphQL's introspection */
  readonly nesting?: Nesting
  /** The file into which the target writes its log, where this machine can read it. */
  readonly logFile?: string
  readonly hooks?: Readonly<Partial<Record<Trigger, Hook>>>
  /** Names of accounts that exist, for checks of what refusals teach. */
  readonly knownUsers?: readonly string[]
  readonly expiring?: ExpiringToken
  /** Shown where the token of `low` goes. */
  readonly misdirected?: readonly MisdirectedToken[]
  readonly jwks?: PublicKeys
  /** Guessed at by intrusive checks: never the account of somebody. */
  readonly guessed?: GuessedAccount
  /** Measures whether the time of a refusal tells which names exist: some hundred attempts, wrong ones for `knownUsers` among them. @default false */
  readonly timing?: boolean
  /** Comparisons that one measurement is made of, at least 50. @default 200 */
  readonly timingPairs?: number
  /** Hosts beyond this machine, see `parseAllowList`. */
  readonly allow?: readonly string[]
  /** Of every connection: a certificate here is shown by anonymous visitors, too. */
  readonly tls?: TlsOptions
  /** Checks that may disturb the target. @default false */
  readonly intrusive?: boolean
  /** Malformed requests that have crashed servers. @default false, true with `intrusive` */
  readonly allowCrashProbes?: boolean
  /** Ids of checks; all when left out. */
  readonly only?: readonly string[]
  readonly skip?: readonly string[]
  readonly allowance?: Partial<Allowance>
  /** How long an answer inside a socket is waited for, milliseconds. @default 800 */
  readonly settleMs?: number
  /** How long a target may bear with a silent stranger, milliseconds. @default 30000 */
  readonly silenceMs?: number
  /** How soon a logout or another trigger must reach an open socket, milliseconds. @default 5000 */
  readonly endBudgetMs?: number
  /** How long the head of a request may take, milliseconds. @default 15000 */
  readonly headMs?: number
  /** How long a peer that answers no ping may be kept, milliseconds. @default 46000 */
  readonly deadPeerMs?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number, doing: string) => void
}
