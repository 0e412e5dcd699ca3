/** autobahn-browser as its authors publish it, described as far as the lab uses it. */

/** A session in a realm. Calls reject with an `AutobahnError`. */
export interface AutobahnSession {
  register(procedure: string, endpoint: (args: readonly unknown[]) => unknown): PromiseLike<unknown>
  call(procedure: string, args: readonly unknown[]): PromiseLike<unknown>
  subscribe(topic: string, handler: (args: readonly unknown[]) => void): PromiseLike<unknown>
  publish(
    topic: string,
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>>,
    options: { readonly acknowledge: boolean; readonly exclude_me?: boolean },
  ): PromiseLike<unknown>
}

/** What the client is told about its end. */
export interface AutobahnClose {
  /** URI of ABORT or GOODBYE; `null` when neither came. */
  readonly reason: string | null
}

/** Options of a connection. */
export interface AutobahnOptions {
  readonly url: string
  readonly realm: string
  readonly authmethods: readonly string[]
  readonly authid: string | undefined
  readonly authextra: Readonly<Record<string, unknown>> | undefined
  readonly onchallenge: (session: unknown, method: string, extra: Readonly<Record<string, unknown>>) => string
  readonly retry_if_unreachable: false
  readonly max_retries: 0
  /** Hears what handlers throw, in place of the console. */
  readonly on_user_error: () => void
}

/** A connection. It opens when told to. */
export interface AutobahnConnection {
  onopen: (session: AutobahnSession, details: Readonly<Record<string, unknown>>) => void
  /** `unreachable`: the socket never opened, and nobody told why. @returns `true` to stay closed */
  onclose: (reason: string, details: AutobahnClose) => boolean
  open(): void
  /** @param reason URI for GOODBYE. @default 'wamp.close.normal' */
  close(reason?: string, message?: string): void
}

/** The library. */
export interface Autobahn {
  readonly Connection: new (options: AutobahnOptions) => AutobahnConnection
  readonly auth_cra: {
    sign(key: string, challenge: string): string
    derive_key(secret: string, salt: string, iterations?: number, keylen?: number): string
  }
  readonly auth_cryptosign: {
    /** @param pkey `secretKey` is the seed and the public key behind it, 64 bytes */
    sign_challenge(pkey: { readonly secretKey: Uint8Array }, extra: Readonly<Record<string, unknown>>): string
  }
}
