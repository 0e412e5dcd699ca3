/** Who the scanner is: logs in once, then shows what each attempt needs. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isJsonObject } from 'countersign/wire'
import { headersOf, type Header } from './answer.ts'
import { jsonOf } from './json-of.ts'
import {
  bodyWithTaken,
  hasPlaceOf,
  memberOf,
  requestWithTaken,
  secretsOfStep,
  withTaken,
  type WrittenRequest,
} from './login-steps.ts'
import type { FormOptions, LoginOptions, LoginStep, TokenOptions, TokenPlace } from './options.ts'
import { Pattern } from './pattern.ts'
import { requestPage, type PageAnswer } from './page-request.ts'
import { anonymous, type Presented, type WampSecret } from './presented.ts'
import { secretsOfMessage, withoutScheme } from './spoken-secrets.ts'
import { siteUrl, type Endpoint } from './target.ts'
import type { VisitNeeds } from './visit.ts'

/** An identity could not log in; the message says at which step, and holds no secret. */
export class LoginFailed extends Error {
  override readonly name = 'LoginFailed'
}

const commandPatienceMs = 10_000
/** How often a login that is too busy is tried again, and for how long it may ask to wait, ms. */
const maxRetries = 2
const maxBusyMs = 5_000
/** What an answer may put into requests: characters of a header field, and none that ends its line. */
const usable = /^[ -~\u00a0-\u00ff]{1,16384}$/
const tokenMembers = ['ticket', 'token', 'access_token', 'accessToken', 'csrf']

/** One identity of an audit. */
export class Identity {
  readonly name: 'low' | 'high'
  readonly options: LoginOptions
  readonly #needs: VisitNeeds
  readonly #endpoint: Endpoint
  /** Names under which its steps take something. */
  readonly #names: ReadonlySet<string>
  #taken: ReadonlyMap<string, string> = new Map()
  #cookies = new Map<string, string>()
  #setCookies: string[] = []
  #cookieOfStep = false
  #loggedIn: Promise<void> | undefined

  constructor(name: 'low' | 'high', options: LoginOptions, place: { needs: VisitNeeds; endpoint: Endpoint }) {
    this.name = name
    this.options = options
    this.#needs = place.needs
    this.#endpoint = place.endpoint
    const { cookie = '', basic, wamp, headers = {}, steps = [] } = options
    this.#names = new Set(steps.flatMap(({ take = {} }) => Object.keys(take)))
    for (const pair of cookie.split(';')) this.#keep(pair)
    const secrets = [
      basic,
      basic?.slice(basic.indexOf(':') + 1),
      wamp?.secret,
      ...Object.values(headers).flatMap((value) => withoutScheme(value)),
      ...Object.values(options.form?.fields ?? {}),
      ...secretsOfMessage(options.token?.body ?? ''),
      ...steps.flatMap(secretsOfStep),
    ]
    for (const secret of secrets) if (secret !== undefined) place.needs.masking.learn(secret)
  }

  /** `Set-Cookie` lines of its login. */
  get setCookies(): readonly string[] {
    return this.#setCookies
  }

  /** Whether all that opens a socket is what a browser sends for whatever page asks. */
  get ambient(): boolean {
    const { token, wamp } = this.options
    const proves = wamp !== undefined && wamp.method !== 'tls'
    const keyed = Object.keys(this.#headersOfSteps()).length > 0
    return token === undefined && !proves && !keyed && this.hasAmbient
  }

  /** Whether something of it is sent by a browser for whatever page asks: a cookie, Basic, a client certificate. */
  get hasAmbient(): boolean {
    const { basic, form, cookie, tls } = this.options
    return [basic, form, cookie, tls].some((one) => one !== undefined) || this.#cookieOfStep
  }

  /** Its secret for challenges; `undefined` as long as a step of its login has to give it. */
  get wamp(): WampSecret | undefined {
    const { wamp } = this.options
    if (wamp === undefined) return undefined
    const [authid, secret] = [this.#filled(wamp.authid), this.#filled(wamp.secret ?? '')]
    return authid === undefined || secret === undefined ? undefined : { ...wamp, authid, secret }
  }

  /** What its steps ask for, and what holds what they give: whoever has its cookies comes by that. `undefined` without steps. */
  get stepping(): LoginOptions | undefined {
    const { steps, wamp } = this.options
    if (steps === undefined) return undefined
    const proves = wamp !== undefined && hasPlaceOf(wamp.secret ?? '', this.#names)
    return { steps, headers: this.#headersOfSteps(), ...(proves ? { wamp } : {}) }
  }

  #headersOfSteps(): Readonly<Record<string, string>> {
    const all = Object.entries(this.options.headers ?? {})
    return Object.fromEntries(all.filter(([, text]) => hasPlaceOf(text, this.#names)))
  }

  /** What an attempt shows: a token is fetched for it. @throws LoginFailed, BudgetSpent, OutOfScope */
  async present(): Promise<Presented> {
    await (this.#loggedIn ??= this.#login())
    const { token } = this.options
    if (token === undefined) return this.#base()
    // Fetched first: a cookie that comes with a token goes with it.
    const value = await this.#fetchToken(token)
    return place(this.#base(), token, value)
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
    const { wamp, ambient, name: who } = this
    return { ...anonymous, who, headers: this.pageHeaders(), wamp, tls: this.options.tls, ambient }
  }

  /** A text of its options with what its steps took; `undefined` while that is not there yet. */
  #filled(text: string): string | undefined {
    const awaited = new Set([...this.#names].filter((name) => !this.#taken.has(name)))
    return hasPlaceOf(text, awaited) ? undefined : withTaken(text, this.#taken)
  }

  /** Fields for requests to the identity's own site. */
  pageHeaders(): readonly Header[] {
    const { headers = {}, basic } = this.options
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return [
      ...Object.entries(headers).flatMap(([name, text]): readonly Header[] => {
        const value = this.#filled(text)
        return value === undefined ? [] : [[name, value]]
      }),
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
    const named = headers.some(([name]) => name.toLowerCase() === 'origin')
    const origin: readonly Header[] = named ? [] : [['Origin', this.#endpoint.origin]]
    const answer = await requestPage(this.#needs, {
      url,
      method,
      headers: [...this.pageHeaders(), ...origin, ...headers],
      tls: this.options.tls,
      ...(body === undefined ? {} : { body }),
    })
    if (answer.kind === 'answered') this.#keepAll(answer)
    return answer
  }

  /** Asks what a configuration has, with what its steps took in it. */
  askFor(written: WrittenRequest): Promise<PageAnswer> {
    const { path, ...ask } = requestWithTaken(written, this.#taken)
    return this.ask(siteUrl(this.#endpoint, path), ask)
  }

  async #login(): Promise<void> {
    const { form, steps = [] } = this.options
    this.#taken = new Map()
    if (form !== undefined) await this.#enterForm(form)
    for (const step of steps) await this.#take(step)
  }

  async #enterForm(form: FormOptions): Promise<void> {
    const address = siteUrl(this.#endpoint, form.url)
    let answer = await this.#fillIn(form)
    for (let retries = 0; retries < maxRetries; retries++) {
      const waitMs = busyForMs(answer)
      if (waitMs === undefined) break
      await this.#needs.budget.pause(waitMs)
      answer = await this.#fillIn(form)
    }
    if (answer.kind === 'failed')
      throw new LoginFailed(`the login at ${address.href} does not answer: ${answer.why}`)
    if (answer.status >= 400) throw new LoginFailed(`the login at ${address.href} answers ${answer.status}`)
  }

  /** The first group of a regular expression in an answer. @throws BudgetSpent when that takes too long */
  #find(answer: string, key: string, source: string): string | undefined {
    return new Pattern(this.#needs.budget, `identities.${this.name}.${key}`, source).exec(answer)?.[1]
  }

  /** Asks what a step asks, and keeps what it takes. */
  async #take(step: LoginStep): Promise<void> {
    const { url, take = {} } = step
    const answer = await this.askFor(step)
    if (answer.kind === 'failed') throw new LoginFailed(`the step ${url} does not answer: ${answer.why}`)
    if (answer.status >= 400) throw new LoginFailed(`the step ${url} answers ${answer.status}`)
    if (headersOf(answer.headers, 'set-cookie').length > 0) this.#cookieOfStep = true
    for (const [name, taken] of Object.entries(take)) {
      const value =
        'member' in taken
          ? memberOf(answer.body, taken.member)
          : this.#find(answer.body, `steps[].take.${name}.pattern`, taken.pattern)
      if (value === undefined || !usable.test(value))
        throw new LoginFailed(`the step ${url} gives no ${name} that can be used`)
      this.#needs.masking.learn(value)
      this.#taken = new Map([...this.#taken, [name, value]])
    }
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

  async #askToken({
    url = '',
    method = 'POST',
    body,
    member,
    pattern,
  }: Omit<TokenOptions, 'as'>): Promise<string> {
    const address = siteUrl(this.#endpoint, withTaken(url, this.#taken, encodeURIComponent))
    const json = [['Content-Type', 'application/json']] as const
    const answer = await this.ask(address, {
      method,
      ...(body === undefined ? {} : { body: bodyWithTaken(body, this.#taken), headers: json }),
    })
    if (answer.kind === 'failed') throw new LoginFailed(`${address.href} does not answer: ${answer.why}`)
    if (answer.status >= 400)
      throw new LoginFailed(`${address.href} answers ${answer.status} instead of a token`)
    if (pattern !== undefined) return this.#find(answer.body, 'token.pattern', pattern) ?? ''
    const value = jsonOf(answer.body)
    if (!isJsonObject(value)) return answer.body.trim()
    const found = (member === undefined ? tokenMembers : [member]).map((name) => value[name])
    return found.find((one) => typeof one === 'string') ?? ''
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

/** How long a login that is too busy asks to wait, where that is short (RFC 9110 §10.2.3), ms. */
function busyForMs(answer: PageAnswer): number | undefined {
  if (answer.kind === 'failed' || (answer.status !== 503 && answer.status !== 429)) return undefined
  const [after = ''] = headersOf(answer.headers, 'retry-after')
  const waitMs = /^\d{1,4}$/.test(after) ? Number(after) * 1_000 : Infinity
  return waitMs <= maxBusyMs ? waitMs : undefined
}
