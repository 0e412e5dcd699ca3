/** The door of Socket.IO clients, visited as the lab's page visits it: with Socket.IO's own client. */
import { once } from 'node:events'
import { request } from 'node:http'
import { Writable } from 'node:stream'
import { io } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { SocketIoWay, Step } from '../../../packages/server/src/lab/browser/case.ts'
import type { Credential } from '../../../packages/server/src/lab/browser/credential.ts'
import type { Knock } from '../../../packages/server/src/lab/browser/knock.ts'
import type { ConnectSocketIo } from '../../../packages/server/src/lab/browser/load-socket-io.ts'
import {
  accepted,
  dismissed,
  rejected,
  unopened,
  withheld,
} from '../../../packages/server/src/lab/browser/outcome.ts'
import { renewInBand } from '../../../packages/server/src/lab/browser/renew.ts'
import { socketIoPlan } from '../../../packages/server/src/lab/browser/socket-io-plan.ts'
import { visitSocketIo } from '../../../packages/server/src/lab/browser/socket-io-visit.ts'
import { connect } from '../../../packages/server/src/lab/cases/write.ts'
import { startLab, type Lab } from '../../../packages/server/src/lab/lab.ts'
import { createLog } from '../../../packages/server/src/server/log.ts'
import { freeBlock } from '../../../tools/ports.ts'

const output: string[] = []
const log = createLog({
  level: 'debug',
  destination: new Writable({
    write(chunk, _encoding, done) {
      output.push(String(chunk))
      done()
    },
  }),
})
let port: number
let lab: Lab
let headers: Record<string, string>
let url: string
const visits: Knock[] = []

beforeAll(async () => {
  port = await freeBlock(41, 23_000)
  lab = await startLab({ port, log })
  url = `http://localhost:${port + 14}/`
  const answer = await fetch(new URL('/login', lab.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'alice', password: 'alice-in-the-lab' }),
  })
  headers = {
    cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '',
    origin: lab.url.slice(0, -1),
    'content-type': 'application/json',
  }
})
afterEach(() => visits.splice(0).forEach((visit) => visit.close()))
afterAll(() => lab.close())

type ConnectStep = Extract<Step, { kind: 'connect' }>

/** As a page does it: its browser adds the Origin, and cookies where it is told to. */
function browserOf(origin: string, cookie: string): ConnectSocketIo {
  // The one form of a call that visits use.
  return ((target: string, options: NonNullable<Parameters<ConnectSocketIo>[1]>) => {
    const brings = options.withCredentials === true || options.transports?.[0] === 'websocket'
    const extraHeaders = brings ? { origin, cookie } : { origin }
    return io(target, { ...options, extraHeaders })
  }) as ConnectSocketIo
}

interface Attempt {
  readonly shows: ConnectStep['shows']
  readonly more?: Parameters<typeof connect>[1]
  readonly text?: string
  readonly origin?: string
  readonly probe?: string
  readonly ticks?: boolean
  /** Cookies of the browser. @default the login's */
  readonly cookie?: string
}

async function visit({ shows, more, text, ...rest }: Attempt): Promise<Knock> {
  const {
    origin = headers['origin'] ?? '',
    cookie = headers['cookie'] ?? '',
    probe = 'p',
    ticks = false,
  } = rest
  const step = connect(shows, more)
  if (step.kind !== 'connect') throw new TypeError('another step')
  const credential: Credential | undefined = text === undefined ? undefined : { kind: 'text', text }
  const plan = socketIoPlan(step, { url, credential, probe, ticks, patienceMs: 5_000 })
  const made = await visitSocketIo({ ...plan, client: () => Promise.resolve(browserOf(origin, cookie)) })
  visits.push(made)
  return made
}

async function post(path: string, body: object): Promise<Record<string, string>> {
  const answer = await fetch(new URL(path, lab.url), { method: 'POST', headers, body: JSON.stringify(body) })
  // What the site answers is pinned by its own tests.
  return (await answer.json()) as Record<string, string>
}

async function newTicket(): Promise<string> {
  return (await post('/countersign/ticket', { audience: 'D14' }))['ticket'] ?? ''
}

interface Line {
  readonly from: string
  readonly text: string
  readonly deciding: boolean
}

async function wire(probe: string): Promise<readonly Line[]> {
  const answer = await fetch(new URL(`/lab/wire?probe=${probe}`, lab.url), { headers })
  return ((await answer.json()) as { lines: Line[] }).lines
}

const ways: readonly SocketIoWay[] = ['polling', 'websocket', 'upgrade']

describe('an announcement', () => {
  it('of an administrator is heard by everybody, cut short; what is no text by nobody', async () => {
    const answer = await fetch(new URL('/login', lab.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'carol', password: 'carol-in-the-lab' }),
    })
    const cookies = [headers['cookie'], answer.headers.getSetCookie()[0]?.split(';')[0]]
    const [alice, carol] = cookies.map((cookie = '') =>
      io(url, {
        transports: ['websocket'],
        forceNew: true,
        extraHeaders: { origin: headers['origin'] ?? '', cookie },
      }),
    )
    if (alice === undefined || carol === undefined) throw new TypeError('two were made')
    const heard: unknown[] = []
    try {
      await Promise.all([alice, carol].map((one) => new Promise((resolve) => one.once('greeting', resolve))))
      const last = new Promise((resolve) =>
        alice.on('announce', (words) => words === 'last' && resolve(words)),
      )
      alice.on('announce', (words) => heard.push(words))
      alice.emit('announce', 'of a user')
      carol.emit('announce', { no: 'text' })
      carol.emit('announce', 'x'.repeat(500))
      carol.emit('announce', 'last')
      await last
    } finally {
      alice.close()
      carol.close()
    }
    expect(heard).toEqual(['x'.repeat(200), 'last'])
  })
})

describe.each(ways)('a visit to the door of Socket.IO by %s', (by) => {
  const more = { by }

  it('is accepted with a ticket in auth, greeted, and refused when the ticket comes again', async () => {
    const text = await newTicket()
    const first = await visit({ shows: 'ticket', more, text })
    expect([first.measured, first.greeted]).toEqual([accepted, 'alice'])
    expect(await first.answers()).toBe(true)
    expect((await visit({ shows: 'ticket', more, text })).measured).toEqual(rejected('invalid_credential'))
  })

  it('is accepted with a ticket in the query', async () => {
    expect((await visit({ shows: 'query', more, text: await newTicket() })).measured).toEqual(accepted)
  })

  it('is accepted with the login’s cookie, from the lab’s own page', async () => {
    const { measured, greeted } = await visit({ shows: 'cookie', more })
    expect([measured, greeted]).toEqual([accepted, 'alice'])
  })

  it('lets events of its role pass and no others', async () => {
    for (const event of ['announce', 'unknown'] as const) {
      const { measured } = await visit({ shows: 'cookie', more: { by, event } })
      expect(measured).toEqual(withheld)
    }
  })

  it('is refused where no rules are, and spends no ticket there', async () => {
    const text = await newTicket()
    const { measured } = await visit({ shows: 'ticket', more: { by, at: 'unlisted' }, text })
    expect(measured).toEqual(rejected('forbidden'))
    expect((await visit({ shows: 'ticket', more, text })).measured).toEqual(accepted)
  })

  it('is refused when two places disagree, and spends no ticket', async () => {
    const text = await newTicket()
    expect((await visit({ shows: 'two', more, text })).measured).toEqual(rejected('protocol_violation'))
    expect((await visit({ shows: 'ticket', more, text })).measured).toEqual(accepted)
  })

  it('comes to nothing from another origin, whatever the browser brings', async () => {
    const origin = `http://localhost:${port + 30}`
    const probe = `hostile-${by}`
    for (const shows of ['cookie', 'ticket'] as const) {
      const { measured, greeted } = await visit({ shows, more, text: await newTicket(), origin, probe })
      expect(measured).toEqual(unopened(by === 'websocket' ? 'websocket' : 'polling'))
      expect(greeted).toBeUndefined()
    }
    const deciding = (await wire(probe)).filter((line) => line.deciding)
    const refusals = deciding.map(({ text }) => text)
    expect(refusals).toEqual(Array(by === 'websocket' ? 2 : 1).fill('HTTP/1.1 403 Forbidden'))
  })

  it('ends with its lease, told by auth_end', async () => {
    const { guest = '', credential } = await post('/lab/guests', { door: 'D14', life_ms: 20_000 })
    const text = String(Reflect.get(Object(credential), 'ticket'))
    const held = await visit({ shows: 'ticket', more, text, probe: `end-${by}` })
    expect(held.measured).toEqual(accepted)
    await post(`/lab/guests/${guest}/end`, { by: 'log-out' })
    expect(await held.closed).toEqual(dismissed('logged_out'))
    const deciding = (await wire(`end-${by}`)).filter((line) => line.deciding)
    expect(deciding.map((line) => line.text)).toEqual([
      expect.stringMatching(/^42\["auth_end",\{"reason":"logged_out"/),
    ])
  })

  it('leaves on the wire what passed, and no secret', async () => {
    const text = await newTicket()
    await visit({ shows: 'ticket', more, text, probe: `seen-${by}` })
    const lines = await wire(`seen-${by}`)
    const shown = lines.map((line) => `${line.from} ${line.text}`)
    expect(shown).toContain('client 40{"ticket":"cst_••••","expiring":true}')
    expect(shown).toContainEqual(expect.stringMatching(/^server 40\{"sid":"••••","pid":"••••"\}$/))
    expect(shown).toContainEqual(expect.stringMatching(/^server 42\["greeting","Hello alice!"/))
    expect(shown).toContainEqual(
      expect.stringMatching(/^server HTTP\/1\.1 (?:200 OK|101 Switching Protocols)$/),
    )
    expect(shown.some((line) => line.startsWith('client POST '))).toBe(by !== 'websocket')
    expect(JSON.stringify(lines) + output.join('')).not.toContain(text.slice(4))
    expect(shown.filter((line) => /sid=(?!••••)/.test(line))).toEqual([])
  })
})

describe('the door of Socket.IO', () => {
  it('tells who shows nothing that something is missing', async () => {
    const { measured } = await visit({ shows: 'nothing', more: { by: 'polling' } })
    expect(measured).toEqual(rejected('missing_credential'))
  })

  it('shows numbered events to the end of the lease, and none beyond its grace', async () => {
    const { credential } = await post('/lab/guests', { door: 'D14', life_ms: 600 })
    const text = String(Reflect.get(Object(credential), 'ticket'))
    const held = await visit({ shows: 'ticket', text, probe: 'ticks', ticks: true })
    expect(await held.closed).toEqual(dismissed('lease_expired'))
    expect(held.ticks.count).toBeGreaterThan(10)
    expect(held.ticks.leftMs).toBeGreaterThanOrEqual(-500)
    const ticks = (await wire('ticks')).filter((line) => line.text.includes('"tick"'))
    expect(ticks.map((line) => line.text)).toEqual([
      expect.stringMatching(/^42\["tick",1,\d+\]$/),
      expect.stringMatching(/^… 42\["tick",\d+,-?\d+\]$/),
    ])
  })

  /** Opens the door as a guest whose lease is short, and renews it once it is warned. */
  async function renewed(
    credential: (fresh: string) => string,
  ): Promise<readonly [held: Knock, refused: string | undefined]> {
    const { guest = '', credential: given } = await post('/lab/guests', { door: 'D14', life_ms: 1_500 })
    const held = await visit({ shows: 'ticket', text: String(Reflect.get(Object(given), 'ticket')) })
    const fresh = await post(`/lab/guests/${guest}/credential`, { life_ms: 20_000 })
    if (held.line === undefined) throw new Error('no line')
    const text = credential(fresh['credential'] ?? '')
    const shown = { at: 'first-json', credential: { kind: 'text', text }, patienceMs: 3_000 } as const
    return [held, await renewInBand(held.line, shown)]
  }

  it('renews in band by the event auth, once it is warned', async () => {
    const [held, refused] = await renewed((fresh) => fresh)
    expect(refused).toBeUndefined()
    await new Promise((resolve) => setTimeout(resolve, 1_800))
    expect(await held.answers()).toBe(true)
  })

  it('says that what was shown to renew is none, and ends in time', async () => {
    const [held, refused] = await renewed(() => 'cst_made-up')
    expect(refused).toBe('invalid_credential')
    expect(await held.closed).toEqual(dismissed('lease_expired'))
  })

  it.each(ways)('lets a client come back to its session by %s, unless its lease has ended', async (by) => {
    for (const ends of [false, true]) {
      const { guest = '', credential } = await post('/lab/guests', { door: 'D14', life_ms: 20_000 })
      const text = String(Reflect.get(Object(credential), 'ticket'))
      const held = await visit({ shows: 'ticket', more: { by }, text, cookie: '' })
      await held.path?.lose()
      if (ends) await post(`/lab/guests/${guest}/end`, { by: 'log-out' })
      const back = await held.path?.comeBack()
      expect(back).toEqual(ends ? rejected('missing_credential') : accepted)
    }
  })

  it('says at its root what it is for', async () => {
    const answer = await fetch(url)
    expect([answer.status, await answer.text()]).toEqual([426, 'This door opens to clients of Socket.IO.'])
  })

  it('answers no other name of this machine, neither there nor where packets go', async () => {
    for (const path of ['', 'socket.io/?EIO=4&transport=polling']) {
      const asked = request(new URL(path, url), { headers: { host: 'rebound.example' } }).end()
      const [answer] = (await once(asked, 'response')) as [{ readonly statusCode: number; resume(): void }]
      answer.resume()
      expect([path, answer.statusCode]).toEqual([path, 421])
    }
  })

  it('cuts off who has words echoed and never reads them', async () => {
    const polling = new URL('socket.io/?EIO=4&transport=polling', url)
    const opened = await (await fetch(polling)).text()
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string }
    polling.searchParams.set('sid', sid)
    const send = (packets: readonly string[]): Promise<Response> =>
      fetch(polling, { method: 'POST', body: packets.join('\u001e') })
    await send([`40${JSON.stringify({ ticket: await newTicket() })}`])
    await (await fetch(polling)).text()
    await expect
      .poll(
        async () => {
          const echoes = Array.from({ length: 70 }, (_, at) => `42${at}["echo","x"]`)
          return (await send(echoes)).status
        },
        { timeout: 5_000 },
      )
      .toBe(400)
  })
})
