/** The `auth` block of a transport as values: methods, their sources, and identities that the file itself names. */

/** Ways to authenticate on a transport. */
export interface AuthNode {
  /** True: nothing was configured, and everyone joins as role `anonymous`. `methods` says the same. */
  readonly open: boolean
  /** At least one; each method once. */
  readonly methods: readonly AuthMethodNode[]
}

/** Names of methods, as in `authmethods` of HELLO; `scram` answers to `wamp-scram` as well. */
export type AuthMethodName = 'anonymous' | 'ticket' | 'wampcra' | 'scram' | 'cryptosign' | 'tls' | 'cookie'

/** One method with its sources, which are asked in this order. */
export type AuthMethodNode =
  | Method<'anonymous', AnonymousIdentity>
  | Method<'ticket', TicketPrincipal>
  | Method<'wampcra', CraPrincipal>
  | Method<'scram', ScramPrincipal>
  | CryptosignMethod
  | Method<'tls', TlsPrincipal>
  | Method<'cookie', never>

/** See `AuthMethodNode`. */
export interface Method<M extends AuthMethodName, P> {
  readonly method: M
  /** False: it is another method's second factor, and not offered by itself. */
  readonly first: boolean
  /** At least one, but none for `cookie`. */
  readonly sources: readonly AuthSourceNode<P>[]
}

/** Where the router’s own key is. */
export type RouterKeyNode =
  /** 64 lower-case hexadecimals: secret. */
  | { readonly kind: 'seed'; readonly hex: string }
  /** Absolute. */
  | { readonly kind: 'file'; readonly file: string }

/** Cryptosign; the router may prove who it is, too. */
export interface CryptosignMethod extends Method<'cryptosign', CryptosignPrincipal> {
  /** `undefined`: clients that challenge the router get no signature. */
  readonly routerKey: RouterKeyNode | undefined
}

/** What every source has. */
interface SourceCommon {
  /** Method that must succeed after this one. */
  readonly secondFactor: AuthMethodName | undefined
  /** Role of those of whom the source names none. */
  readonly defaultRole: string | undefined
}

/** Where identities of a method come from. */
export type AuthSourceNode<P> =
  /** Written in the file. */
  | (SourceCommon & { readonly kind: 'static'; readonly principals: readonly P[] })
  /** A procedure, called by the router itself as `(realm, authid, details)`. */
  | (SourceCommon & {
      readonly kind: 'dynamic'
      readonly authenticator: string
      /** `undefined`: the realm that the client asked for. */
      readonly realm: string | undefined
      /** Role as which it is called. */
      readonly role: string | undefined
      /** Secret headers that stay in `details`, lower case. */
      readonly dangerouslyPassHeaders: readonly string[]
    })
  /** A function of a module of JavaScript or TypeScript. */
  | (SourceCommon & {
      readonly kind: 'function'
      /** An absolute file name, or a package as `import` names it. */
      readonly module: string
      /** @default 'default' */
      readonly exportName: string
      readonly config: unknown
    })
  /** The database of accounts of this program. */
  | (SourceCommon & { readonly kind: 'accounts' })

/** Who anonymous clients are. */
export interface AnonymousIdentity {
  /** `undefined`: the realm that the client asked for. */
  readonly realm: string | undefined
  readonly role: string
  /** `undefined`: a fresh one for each session. */
  readonly authid: string | undefined
}

/** What principals of all methods have. */
interface PrincipalCommon {
  /** What clients send as `authid` in HELLO. */
  readonly name: string
  /** What the session has as `authid`: the name, unless the file gives another. */
  readonly authid: string
  readonly role: string
}

/** Who may show which ticket. */
export interface TicketPrincipal extends PrincipalCommon {
  readonly ticket: string
}

/** Who shares which secret. */
export interface CraPrincipal extends PrincipalCommon {
  /**
   * As written. With `salting` it has two meanings, of which the method accepts both: the derived key in base64
   * (as documented and up to 23.1.2), or the password (since 25.12.1).
   */
  readonly secret: string
  readonly salting:
    { readonly salt: string; readonly iterations: number; readonly keylen: number } | undefined
}

/** What proves who knows a password. Salt and keys in lower-case hexadecimals. */
export interface ScramPrincipal extends PrincipalCommon {
  /** `argon2id13` is the specification's, `argon2id-13` Autobahn's: keys that were derived for one fit no other. */
  readonly kdf: 'argon2id13' | 'argon2id-13' | 'pbkdf2'
  readonly iterations: number
  /** KiB; 0 for PBKDF2. */
  readonly memory: number
  readonly salt: string
  readonly storedKey: string
  readonly serverKey: string
}

/** Who holds the private keys of which public keys. */
export interface CryptosignPrincipal extends PrincipalCommon {
  /** Ed25519, 64 lower-case hexadecimals each. */
  readonly authorizedKeys: readonly string[]
  /** The only realm where they count; `undefined`: the one that the client asked for. */
  readonly realm: string | undefined
}

/** Who shows which certificate. */
export interface TlsPrincipal extends PrincipalCommon {
  readonly fingerprint: { readonly hash: 'sha1' | 'sha256'; readonly hex: string }
}
