/** A real OpenID provider on loopback, and somebody who logs in and out at it as a browser does. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import { Provider } from 'oidc-provider'

export const client = 'chat-client'
/** Audience of access tokens: the resource that the client asks for. */
export const resource = 'https://chat.example.com'
const redirect = 'http://localhost/callback'
const kid = 'provider-key'

/** How a logout was told to the client. */
export interface Told {
  readonly kind: 'success' | 'error'
  readonly message: string
}

/** A running provider. */
export interface IdentityProvider {
  readonly issuer: string
  /** Back-channel logouts so far. */
  readonly told: readonly Told[]
  /** Signs anything with the key that the provider publishes. */
  sign(typ: string, claims: Readonly<Record<string, unknown>>): Promise<string>
  close(): Promise<void>
}

/** Starts the provider. Its one client is logged out by session at `logoutUri`. */
export async function startProvider(port: number, logoutUri: string): Promise<IdentityProvider> {
  const issuer = `http://localhost:${String(port)}`
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const provider = makeProvider(issuer, logoutUri, {
    ...(await exportJWK(privateKey)),
    ...(await exportJWK(publicKey)),
  })
  const told: Told[] = []
  provider.on('backchannel.success', () => void told.push({ kind: 'success', message: '' }))
  provider.on('backchannel.error', (_ctx, error) => void told.push({ kind: 'error', message: error.message }))
  const server = createServer(provider.callback()).listen(port, 'localhost')
  await once(server, 'listening')
  return {
    issuer,
    told,
    sign: (typ, claims) => signed(privateKey, typ, { iss: issuer, aud: client, ...claims }),
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function signed(key: CryptoKey, typ: string, claims: Readonly<Record<string, unknown>>): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid, typ }).sign(key)
}

function makeProvider(issuer: string, logoutUri: string, key: object): Provider {
  return new Provider(issuer, {
    clients: [
      {
        client_id: client,
        redirect_uris: [redirect],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
        backchannel_logout_uri: logoutUri,
        backchannel_logout_session_required: true,
      },
    ],
    jwks: { keys: [{ ...key, kid, use: 'sig', alg: 'RS256' }] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    // The provider's own protection lets no request reach loopback: this is the option that it has for it.
    fetch: (url, options) => fetch(url, { ...options, ...unprotected }),
    ttl: { AccessToken: 3_600, Grant: 3_600, IdToken: 3_600, Interaction: 600, Session: 3_600 },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    extraTokenClaims: (_ctx, token) => ('sid' in token && token.sid !== undefined ? { sid: token.sid } : {}),
    features: {
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => void (ctx.body = form),
        postLogoutSuccessSource: (ctx) => void (ctx.body = 'logged out'),
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'speak',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3_600,
          jwt: { sign: { alg: 'RS256' } },
        }),
        defaultResource: () => resource,
        useGrantedResource: () => true,
      },
    },
  })
}

const unprotected: object = { dispatcher: undefined }

/** A browser in little: keeps the provider's cookies, follows its redirects, fills its forms. */
export class Person {
  readonly #provider: IdentityProvider
  readonly #cookies = new Map<string, string>()

  constructor(provider: IdentityProvider) {
    this.#provider = provider
  }

  /** Logs in under a name. @returns an access token for the resource */
  async logIn(login: string): Promise<string> {
    const verifier = randomBytes(32).toString('base64url')
    const query = new URLSearchParams({
      client_id: client,
      response_type: 'code',
      redirect_uri: redirect,
      scope: 'openid speak',
      resource,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    })
    const form = await this.#go(`${this.#provider.issuer}/auth?${query.toString()}`)
    const consent = await this.#submit(form, { prompt: 'login', login, password: 'any' })
    const back = await this.#submit(consent, { prompt: 'consent' })
    const code = new URL(back.url).searchParams.get('code') ?? ''
    const answer = await fetch(`${this.#provider.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: client,
        redirect_uri: redirect,
        code,
        code_verifier: verifier,
        resource,
      }),
    })
    const { access_token: token } = (await answer.json()) as { readonly access_token?: string }
    if (token === undefined) throw new Error(`no access token: ${String(answer.status)}`)
    return token
  }

  /** Logs out at the provider, which tells its clients before it answers. */
  async logOut(): Promise<void> {
    const page = await this.#go(`${this.#provider.issuer}/session/end?client_id=${client}`)
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    await this.#submit(page, { xsrf, logout: 'yes' })
  }

  async #submit(page: Page, fields: Readonly<Record<string, string>>): Promise<Page> {
    const action = /action="([^"]+)"/.exec(page.text)?.[1]
    if (action === undefined) throw new Error(`no form at ${new URL(page.url).pathname}`)
    return this.#go(new URL(action, page.url).href, new URLSearchParams({ ...fields }))
  }

  /** Follows redirects as far as the client's own address, which nobody serves. */
  async #go(url: string, body?: URLSearchParams): Promise<Page> {
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(body === undefined ? {} : { method: 'POST', body }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      this.#cookies.set(name, value)
    }
    const text = await answer.text()
    const location = answer.headers.get('location')
    if (location === null) return { url, text }
    const next = new URL(location, url).href
    return next.startsWith(redirect) ? { url: next, text: '' } : this.#go(next)
  }
}

interface Page {
  readonly url: string
  readonly text: string
}
