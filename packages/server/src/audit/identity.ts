/** Who the scanner is: logs in once, then shows what each attempt needs. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isJsonObject } from 'countersign/wire'
import { headersOf, type Header } from './answer.ts'
import { jsonOf } from './json-of.ts'
import type { FormOptions, LoginOptions, TokenOptions, TokenPlace } from './options.ts'
import { requestPage, type PageAnswer } from './page-request.ts'
import { anonymous, type Presented } from './presented.ts'
import { secretsOfMessage, withoutScheme } from './spoken-secrets.ts'
import { siteUrl, type Endpoint } from './target.ts'
import type { VisitNeeds } from './visit.ts'

/** An identity could not log in; the message says at which step, and holds no secret. */
export class LoginFailed extends Error {
  override readonly name = 'LoginFailed'
}

const commandPatienceMs = 10_000
const tokenMembers = ['ticket', 'token', 'access_token', 'accessToken', 'csrf']

/** One identity of an audit. */
export class Identity {
  readonly name: 'low' | 'high'
  readonly options: LoginOptions
  readonly #needs: VisitNeeds
  readonly #endpoint: Endpoint
  #cookies = new Map<string, string>()
  #setCookies: string[] = []
  #loggedIn: Promise<void> | undefined

  constructor(name: 'low' | 'high', options: LoginOptions, place: { needs: VisitNeeds; endpoint: Endpoint }) {
    this.name = name
    this.options = options
    this.#needs = place.needs
    this.#endpoint = place.endpoint
    const { cookie = '', basic, wamp, headers = {} } = options
    for (const pair of cookie.split(';')) this.#keep(pair)
    const secrets = [
      basic,
      basic?.slice(basic.indexOf(':') + 1),
      wamp?.secret,
      ...Object.values(headers).flatMap((value) => withoutScheme(value)),
      ...Object.values(options.form?.fields ?? {}),
      ...secretsOfMessage(options.token?.body ?? ''),
    ]
    for (const secret of secrets) if (secret !== undefined) place.needs.masking.learn(secret)
  }

  /** `Set-Cookie` lines of its login. */
  get setCookies(): readonly string[] {
    return this.#setCookies
  }

  /** Whether all that opens a socket is what a browser sends for whatever page asks. */
  get ambient(): boolean {
    return this.options.token === undefined && this.hasAmbient
  }

  /** Whether something of it is sent by a browser for whatever page asks: a cookie, Basic. */
  get hasAmbient(): boolean {
    const { basic, form, cookie } = this.options
    return basic !== undefined || form !== undefined || cookie !== undefined
  }

  /** What an attempt shows: a token is fetched for it. @throws LoginFailed, BudgetSpent, OutOfScope */
  async present(): Promise<Presented> {
    await (this.#loggedIn ??= this.#login())
    const { token } = this.options
    return token === undefined ? this.#base() : place(this.#base(), token, await this.#fetchToken(token))
  }

  /** A fresh token of this identity, or of another kind. @throws LoginFailed, BudgetSpent, OutOfScope */
  async token(options: Omit<TokenOptions, 'as'> | undefined = this.options.token): Promise<string> {
    await (this.#loggedIn ??= this.#login())
    if (options === undefined) throw new LoginFailed(`the identity ${this.name} has no token`)
    return this.#fetchToken(options)
  }

  /** What an attempt with this very token shows. */
  presentToken(token: string, as: TokenPlace | undefined = this.options.token?.as): Presented {
    this.#needs.masking.learn(token)
    return as === undefined ? this.#base() : place(this.#base(), { as }, token)
  }

  #base(): Presented {
    const { wamp } = this.options
    return { ...anonymous, who: this.name, headers: this.pageHeaders(), wamp, ambient: this.ambient }
  }

  /** Fields for requests to the identity's own site. */
  pageHeaders(): readonly Header[] {
    const { headers = {}, basic } = this.options
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return [
      ...Object.entries(headers),
      ...(basic === undefined
        ? []
        : [['Authorization', `Basic ${Buffer.from(basic).toString('base64')}`] as const]),
      ...(cookie === '' ? [] : [['Cookie', cookie] as const]),
    ]
  }

  /** Logs in anew: the next attempt shows another session. */
  async loginAgain(): Promise<void> {
    if (this.options.form !== undefined) this.#cookies = new Map()
    this.#loggedIn = this.#login()
    await this.#loggedIn
  }

  /** Asks its own site for something, as this identity. Cookies that come back are kept. */
  async ask(url: URL, { method = 'POST', body, headers = [] }: AskOptions = {}): Promise<PageAnswer> {
    const own: readonly Header[] = [...this.pageHeaders(), ['Origin', this.#endpoint.origin], ...headers]
    const answer = await requestPage(this.#needs, {
      url,
      method,
      headers: own,
      ...(body === undefined ? {} : { body }),
    })
    if (answer.kind === 'answered') this.#keepAll(answer)
    return answer
  }

  async #login(): Promise<void> {
    const { form } = this.options
    if (form === undefined) return
    const address = siteUrl(this.#endpoint, form.url)
    const answer = await this.#fillIn(form)
    if (answer.kind === 'failed')
      throw new LoginFailed(`the login at ${address.href} does not answer: ${answer.why}`)
    if (answer.status >= 400) throw new LoginFailed(`the login at ${address.href} answers ${answer.status}`)
  }

  /** Fills its form in, whatever comes of it. @throws LoginFailed without a form, or where it has not the hidden field */
  async fillIn(headers: readonly Header[] = []): Promise<PageAnswer> {
    const { form } = this.options
    if (form === undefined) throw new LoginFailed(`the identity ${this.name} has no form to log in by`)
    return this.#fillIn(form, headers)
  }

  async #fillIn(
    { url, fields, csrf, json = false }: FormOptions,
    headers: readonly Header[] = [],
  ): Promise<PageAnswer> {
    const address = siteUrl(this.#endpoint, url)
    const hidden = csrf === undefined ? {} : { [csrf]: await this.#hiddenField(address, csrf) }
    const all = { ...fields, ...hidden }
    const body = json ? JSON.stringify(all) : new URLSearchParams(all).toString()
    const type = json ? 'application/json' : 'application/x-www-form-urlencoded'
    return this.ask(address, { body, headers: [['Content-Type', type], ...headers] })
  }

  async #hiddenField(url: URL, name: string): Promise<string> {
    const page = await this.ask(url, { method: 'GET' })
    const body = page.kind === 'answered' ? page.body : ''
    const input = [...body.matchAll(/<input\b[^>]{0,1000}>/gi)].find(
      ([tag]) => attribute(tag, 'name') === name,
    )
    const value = input === undefined ? undefined : attribute(input[0], 'value')
    if (value === undefined) throw new LoginFailed(`the page ${url.href} has no field ${name}`)
    this.#needs.masking.learn(value)
    return value
  }

  async #fetchToken(token: Omit<TokenOptions, 'as'>): Promise<string> {
    const value = token.command === undefined ? await this.#askToken(token) : await this.#run(token.command)
    if (value === '') throw new LoginFailed(`no token came for the identity ${this.name}`)
    this.#needs.masking.learn(value)
    return value
  }

  async #askToken({ url = '', method = 'POST', body, member }: Omit<TokenOptions, 'as'>): Promise<string> {
    const address = siteUrl(this.#endpoint, url)
    const answer = await this.ask(address, {
      method,
      ...(body === undefined ? {} : { body, headers: [['Content-Type', 'application/json']] as const }),
    })
    if (answer.kind === 'failed') throw new LoginFailed(`${address.href} does not answer: ${answer.why}`)
    if (answer.status >= 400)
      throw new LoginFailed(`${address.href} answers ${answer.status} instead of a token`)
    const json = jsonOf(answer.body)
    if (!isJsonObject(json)) return answer.body.trim()
    const found = (member === undefined ? tokenMembers : [member]).map((name) => json[name])
    return found.find((value) => typeof value === 'string') ?? ''
  }

  async #run([program = '', ...args]: readonly string[]): Promise<string> {
    try {
      const { stdout } = await promisify(execFile)(program, args, {
        timeout: commandPatienceMs,
        maxBuffer: 65_536,
        signal: this.#needs.budget.signal,
      })
      return stdout.trim()
    } catch {
      throw new LoginFailed(`the command ${program} that makes a token failed`)
    }
  }

  #keepAll({ headers }: Extract<PageAnswer, { kind: 'answered' }>): void {
    for (const line of headersOf(headers, 'set-cookie')) {
      this.#setCookies = [...this.#setCookies, line].slice(-50)
      this.#keep(line.split(';')[0] ?? '')
    }
  }

  #keep(pair: string): void {
    const [name = '', ...rest] = pair.trim().split('=')
    const value = rest.join('=')
    if (name === '' || rest.length === 0) return
    this.#needs.masking.learn(value)
    if (value === '') this.#cookies.delete(name)
    else this.#cookies.set(name, value)
  }
}

/** A request in an identity's name. */
export interface AskOptions {
  readonly method?: string
  readonly body?: string
  readonly headers?: readonly Header[]
}

/** What is presented with a token in its place. */
export function place(base: Presented, { as }: Pick<TokenOptions, 'as'>, token: string): Presented {
  const fill = (text: string): string => text.replaceAll('{token}', token)
  if ('query' in as) return { ...base, query: [...base.query, [as.query, token]] }
  if ('header' in as) return { ...base, headers: [...base.headers, [as.header, fill(as.value ?? '{token}')]] }
  if ('subprotocols' in as) return { ...base, subprotocols: as.subprotocols.map(fill) }
  if ('first' in as) return { ...base, first: fill(as.first) }
  return { ...base, payload: { ...base.payload, [as.payload]: token } }
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag)
  return found?.[1] ?? found?.[2] ?? found?.[3]
}
