/** Joins a realm with autobahn-browser, does one thing there, and tells what came of it. */
import type { Deed, Joiner } from './case.ts'
import type { Autobahn, AutobahnConnection, AutobahnSession } from './autobahn.ts'
import { hasRealShape, readChallenge, type ChallengeExtra } from './challenge.ts'
import { noTicks, type Knock } from './knock.ts'
import { later, within } from './later.ts'
import type { Measured } from './outcome.ts'
import { randomText } from './random-text.ts'
import { wampNames } from './wamp-users.ts'

/** Who joins, where and how. */
export interface JoinPlan {
  /** Loads the client. */
  readonly client: () => Promise<Autobahn>
  readonly url: string
  readonly realm: string
  readonly by: Joiner
  /** Name that the client gives; anonymous sessions give none. */
  readonly authid: string
  /** Secret, password or ticket; of a key pair both halves in hex. */
  readonly secret: string
  /** Answer to an earlier challenge, for whoever tries it again. */
  readonly oldSignature: string
  readonly deed: Deed
  /** Longest wait for an outcome, ms. */
  readonly patienceMs: number
}

const methodOf: Readonly<Record<Joiner, string>> = {
  wampcra: 'wampcra',
  'old-signature': 'wampcra',
  cryptosign: 'cryptosign',
  ticket: 'ticket',
  anonymous: 'anonymous',
  cookie: 'cookie',
  certificate: 'tls',
}

/** Between two numbers that a session publishes to itself, ms. */
const countEveryMs = 25

/** How long an open session may take to answer, ms. */
const answerMs = 3_000

/** Who they are the router tells them. */
const nameless: ReadonlySet<Joiner> = new Set<Joiner>(['anonymous', 'certificate'])

/** Joins and waits until the deed is done or refused, or the session has ended, or patience ends. Never throws. */
export async function joinRealm(plan: JoinPlan): Promise<Knock> {
  try {
    return await new Visit(await plan.client(), plan).settled
  } catch (error) {
    const measured: Measured = {
      kind: 'unsettled',
      why: error instanceof Error ? error.message : 'no client',
    }
    const answers = (): Promise<boolean> => Promise.resolve(false)
    const ticks = noTicks()
    return { ...nothing, measured, closed: Promise.resolve(measured), ticks, answers, close: () => undefined }
  }
}

const nothing = {
  frames: [],
  protocol: '',
  greeted: undefined,
  signature: '',
  realShape: undefined,
  line: undefined,
} as const

class Visit {
  readonly settled: Promise<Knock>
  readonly #library: Autobahn
  readonly #plan: JoinPlan
  readonly #connection: AutobahnConnection
  readonly #outcome = later<Measured>()
  readonly #closed = later<Measured>()
  readonly #ticks = noTicks()
  #session: AutobahnSession | undefined
  #joined = false
  #left = false
  #loggedOut = false
  #signature = ''
  #challenge: ChallengeExtra | undefined

  constructor(library: Autobahn, plan: JoinPlan) {
    this.#library = library
    this.#plan = plan
    this.#connection = new library.Connection({
      url: plan.url,
      realm: plan.realm,
      authmethods: [methodOf[plan.by]],
      authid: nameless.has(plan.by) ? undefined : plan.authid,
      authextra: plan.by === 'cryptosign' ? { pubkey: plan.secret.slice(64) } : undefined,
      onchallenge: (_session, _method, extra) => this.#answer(extra),
      retry_if_unreachable: false,
      max_retries: 0,
      on_user_error: () => undefined,
    })
    this.#connection.onopen = (session, details) => void this.#act(session, details)
    this.#connection.onclose = (how, { reason }) => this.#end(how, reason)
    const timer = setTimeout(() => this.#giveUp(), plan.patienceMs)
    this.settled = this.#outcome.promise.then((measured) => {
      clearTimeout(timer)
      return this.#tell(measured)
    })
    this.#connection.open()
  }

  #answer(extra: Readonly<Record<string, unknown>>): string {
    const { by, secret, oldSignature } = this.#plan
    if (by === 'ticket') return secret
    if (by === 'cryptosign') {
      return this.#library.auth_cryptosign.sign_challenge({ secretKey: fromHex(secret) }, extra)
    }
    this.#challenge = readChallenge({ type: 'challenge', extra })
    if (this.#challenge === undefined) return ''
    this.#signature = by === 'old-signature' ? oldSignature : sign(this.#library, secret, this.#challenge)
    return this.#signature
  }

  async #act(session: AutobahnSession, details: Readonly<Record<string, unknown>>): Promise<void> {
    this.#joined = true
    this.#session = session
    const { by, authid, deed } = this.#plan
    if (!nameless.has(by) && details['authid'] !== authid) {
      this.#outcome.resolve({ kind: 'unsettled', why: 'joined under another name' })
      return
    }
    try {
      await deeds[deed](session)
      if (deed === 'call-and-log-out') await this.#logOut()
      if (deed === 'call-and-count') await this.#count(session)
      this.#outcome.resolve({ kind: 'joined', role: String(details['authrole']) })
    } catch (error) {
      this.#outcome.resolve(refusalOf(error))
    }
  }

  /** The reason came in ABORT before there was a session, in GOODBYE afterwards. */
  #end(how: string, reason: string | null): boolean {
    const measured = endOf(how, reason, this.#joined)
    this.#closed.resolve(measured)
    if (!this.#loggedOut) this.#outcome.resolve(measured)
    return true
  }

  /** Numbers of its own that come back through the router, until the session ends. */
  async #count(session: AutobahnSession): Promise<void> {
    const topic = nameOf('count')
    await session.subscribe(topic, ([number]) => {
      this.#ticks.count++
      this.#ticks.last = Number(number)
      this.#ticks.atMs = Date.now()
    })
    let number = 0
    const timer = setInterval(() => {
      number++
      void session.publish(topic, [number], {}, { acknowledge: false, exclude_me: false })
    }, countEveryMs)
    void this.#closed.promise.then(() => clearInterval(timer))
  }

  async #answers(): Promise<boolean> {
    const session = this.#session
    if (session === undefined || this.#left) return false
    const called = callItself(session).then(
      () => true,
      () => false,
    )
    return within(answerMs, called, false)
  }

  async #logOut(): Promise<void> {
    this.#left = true
    this.#loggedOut = true
    this.#connection.close('wamp.close.logout', '')
    await this.#closed.promise
  }

  #giveUp(): void {
    const what = this.#joined ? 'joined, but silent' : 'no answer'
    const seconds = Math.round(this.#plan.patienceMs / 1_000)
    this.#outcome.resolve({ kind: 'unsettled', why: `${what} for ${seconds} s` })
    this.#close()
  }

  /** Once: the client would say goodbye again as long as the router has not answered. */
  #close(): void {
    if (this.#left) return
    this.#left = true
    try {
      this.#connection.close()
    } catch {
      // The client throws when it is closed already.
    }
  }

  #tell(measured: Measured): Knock {
    const challenge = this.#challenge
    return {
      ...nothing,
      measured,
      signature: this.#signature,
      realShape: challenge === undefined ? undefined : hasRealShape(challenge),
      closed: this.#closed.promise,
      ticks: this.#ticks,
      answers: () => this.#answers(),
      close: () => this.#close(),
    }
  }
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))
}

/** By the client's own functions, as its documentation shows. */
function sign({ auth_cra }: Autobahn, secret: string, { challenge, salt, ...how }: ChallengeExtra): string {
  const key = salt === undefined ? secret : auth_cra.derive_key(secret, salt, how.iterations, how.keylen)
  return auth_cra.sign(key, challenge)
}

/** A name that nobody else uses. */
function nameOf(what: string): string {
  return `${wampNames.own}${what}.n${randomText().replace(/\W/g, '').slice(0, 12).toLowerCase()}`
}

async function callItself(session: AutobahnSession): Promise<void> {
  const name = nameOf('echo')
  await session.register(name, ([word]) => word)
  const word = await session.call(name, ['countersign'])
  if (word !== 'countersign') throw new Error('another answer came back')
}

const deeds: Readonly<Record<Deed, (session: AutobahnSession) => Promise<void>>> = {
  call: callItself,
  'call-and-log-out': callItself,
  'call-and-count': callItself,
  async listen(session) {
    await session.subscribe(wampNames.open, () => undefined)
  },
  async publish(session) {
    await session.publish(wampNames.open, ['from a page'], {}, { acknowledge: true })
  },
  async 'publish-elsewhere'(session) {
    await session.publish(wampNames.foreign, ['from a page'], {}, { acknowledge: true })
  },
}

/** The client rejects with the URI of the ERROR. */
function refusalOf(error: unknown): Measured {
  const uri = typeof error === 'object' && error !== null && 'error' in error ? error.error : undefined
  if (typeof uri === 'string') return { kind: 'denied', uri }
  return { kind: 'unsettled', why: error instanceof Error ? error.message : 'the deed failed' }
}

function endOf(how: string, reason: string | null, joined: boolean): Measured {
  if (reason !== null) return { kind: joined ? 'ended' : 'aborted', uri: reason }
  if (how === 'unreachable') return { kind: 'failed', code: 1006 }
  return { kind: 'unsettled', why: 'closed without a word' }
}
