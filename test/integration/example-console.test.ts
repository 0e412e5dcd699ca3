/** `examples/console` as it should be, from outside: the real program, real clients, and frames by hand. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { accounts, roles, type Role } from '../../examples/console/accounts.ts'
import { commands } from '../../examples/console/commands.ts'
import { processesMentioning } from '../e2e/support/processes.ts'
import {
  bare,
  call,
  enter,
  linesOf,
  logIn,
  modes,
  post,
  soon,
  spawnConsole,
  startConsole,
  type Caller,
  type Mode,
  type Program,
} from './support/console-program.ts'

let program: Program
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-console-'))
  program = await startConsole(['--journal', join(folder, 'journal.jsonl')])
})
afterAll(async () => {
  expect(await program.stop()).toBe(0)
  rmSync(folder, { recursive: true })
})

/** A console of somebody; it ends with the test. */
async function consoleOf(username: string, mode: Mode = 'websocket', of: Program = program): Promise<Caller> {
  const caller = await enter(of, await logIn(of, username), { mode })
  onTestFinished(() => void caller.client.disconnect())
  return caller
}

const forbidden = { error: { reason: 'forbidden', action: 'command' } }

/** Arguments with which each command may be run. */
const rightArguments: Readonly<Record<string, object>> = {
  show: { page: 'welcome' },
  restart: { service: 'reports' },
  announce: { text: 'Tea is ready.' },
  evict: { name: 'vera' },
}
const argumentsFor = (command: string): object => rightArguments[command] ?? {}
const usernameOf = (role: Role): string => accounts.find((account) => account.role === role)?.username ?? ''

describe('the login of the console', () => {
  test('sets a cookie that scripts and other sites do not have, and another one each time', async () => {
    const form = { username: 'vera', password: 'vera may look' }
    const [first] = (await post(program, '/login', { form })).cookies
    expect(first).toMatch(/^console-session=css_[\w-]{43}; Path=\/; Max-Age=1800; HttpOnly; SameSite=Strict$/)
    const cookie = first?.split(';')[0] ?? ''
    const second = await post(program, '/login', { form, headers: { cookie } })
    expect(second.cookies[0]?.split(';')[0]).not.toBe(cookie)
    // The former session is over.
    expect(await (await fetch(program.origin, { headers: { cookie } })).text()).toContain('<h1>Log in</h1>')
  })

  test.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['an opaque one', { origin: 'null' }],
  ])('takes no form from %s', async (_, headers) => {
    const form = { username: 'vera', password: 'vera may look' }
    expect(await post(program, '/login', { form, headers })).toMatchObject({ status: 403, cookies: [] })
    const cookie = await logIn(program, 'vera')
    expect((await post(program, '/logout', { headers: { cookie, ...headers } })).status).toBe(403)
    expect(await (await fetch(program.origin, { headers: { cookie } })).text()).toContain(
      '<strong>vera</strong>',
    )
  })

  test('tells a wrong name and a wrong password alike', async () => {
    const tries = [{ username: 'nobody' }, { username: 'vera' }].map((form) =>
      post(program, '/login', { form: { password: 'wrong', ...form } }),
    )
    const [name, word] = await Promise.all(tries)
    expect(name?.status).toBe(401)
    expect(word).toEqual({ ...name, text: name?.text.replaceAll('nobody', 'vera') })
  })

  test('answers forms that are none with a status and no more', async () => {
    for (const form of [{}, { username: 'vera' }, { username: 'vera', password: 'x', priv: 'true' }])
      expect(await post(program, '/login', { form })).toMatchObject({ status: 400, text: 'Bad request' })
    const long = { username: 'vera', password: 'x'.repeat(5_000) }
    expect(await post(program, '/login', { form: long })).toMatchObject({ status: 413, text: 'Bad request' })
  })

  test('serves pages under a strict policy, with nothing of others', async () => {
    const response = await fetch(program.origin)
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    const page = await response.text()
    const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '')
    expect(loaded.length).toBeGreaterThan(2)
    for (const path of loaded) {
      expect(path).toMatch(/^\/assets\//)
      expect((await fetch(`${program.origin}${path}`)).status).toBe(200)
    }
    expect(page).not.toMatch(/<style|style=|onclick|<script(?! type="module" src)/)
    for (const path of [
      '/assets/../server.ts',
      '/assets/%2e%2e/server.ts',
      '/sandbox/private.txt',
      '/holes.json',
    ])
      expect((await fetch(`${program.origin}${path}`)).status, path).toBe(404)
  })
})

describe('the door of the console', () => {
  test.each(modes)(
    'lets the page in over %s, says what it may do, and streams what it runs',
    async (mode) => {
      const otto = await consoleOf('otto', mode)
      const [welcome] = otto.heard('welcome')
      expect(welcome).toMatchObject({ who: 'otto', roles: ['operator'] })
      expect(welcome?.['ends_in']).toBeGreaterThan(1_700)
      const { run } = await otto.ask('restart', { service: 'indexer' })
      const lines = await otto.ended(run)
      expect(lines.map((line) => line.replace(/\d+/, 'n'))).toEqual([
        'indexer: stopping after n jobs',
        'indexer: stopped, starting',
        'indexer: running, start n',
      ])
      const end = otto.heard('end').find((told) => told['run'] === run)
      expect(end?.['durationMs']).toBeGreaterThanOrEqual(450)
    },
  )

  test.each(modes)('keeps out over %s whoever has no session, or comes from elsewhere', async (mode) => {
    const cookie = await logIn(program, 'ada')
    const transportError = mode === 'websocket' ? 'websocket error' : 'xhr poll error'
    for (const [headers, word] of [
      [{}, 'missing_credential'],
      [{ cookie: 'console-session=css_made-up' }, 'invalid_credential'],
      // Before anybody is asked for a credential: all that a client sees is that the transport failed.
      [{ cookie, origin: 'https://evil.example' }, transportError],
      [{ cookie, origin: 'null' }, transportError],
      [{ cookie, origin: program.origin.replace('http', 'https') }, transportError],
    ] as const) {
      const caller = call(program, headers, { mode })
      await soon(() => caller.fate.length > 0)
      expect(caller.fate).toEqual([`refused: ${word}`])
      expect(caller.events).toEqual([])
    }
  })

  test('answers to no other name, and to no namespace but its own', async () => {
    const cookie = await logIn(program, 'ada')
    for (const namespace of ['/', '/debug', '/console2', '/console/']) {
      const caller = call(program, { cookie }, { namespace })
      await soon(() => caller.fate.length > 0)
      expect(caller.fate, namespace).toEqual(['refused: forbidden'])
    }
    const rebound = call(program, { cookie, host: 'evil.example' })
    await soon(() => rebound.fate.length > 0)
    expect(rebound.fate).toEqual(['refused: websocket error'])
  })
})

describe('the commands of the console', () => {
  const matrix = roles.flatMap((role) => commands.map((command) => ({ role, ...command })))

  test.each(matrix.filter(({ role, roles }) => roles.includes(role)))(
    'of the role $role have $name, and say something',
    async ({ role, name }) => {
      const caller = await consoleOf(usernameOf(role))
      const { run } = await caller.ask(name, argumentsFor(name))
      if (name === 'logs') caller.client.emit('stop', { run })
      const lines = await caller.ended(run, name === 'logs' ? 'stopped' : 'done')
      expect(lines.length).toBeGreaterThan(0)
    },
  )

  test.each(matrix.filter(({ role, roles }) => !roles.includes(role)))(
    'of the role $role have no $name',
    async ({ role, name }) => {
      const caller = await consoleOf(usernameOf(role))
      expect(await caller.ask(name, argumentsFor(name))).toEqual(forbidden)
      expect(await caller.ask('uptime')).toHaveProperty('run')
      expect(program.journal().findLast(({ outcome }) => outcome === 'refused')).toMatchObject({
        who: usernameOf(role),
        command: expect.stringMatching(`^${name}`),
        reason: 'forbidden',
      })
    },
  )

  test('give what they say: this machine, and the handbook', async () => {
    const otto = await consoleOf('otto')
    const said = async (name: string): Promise<string> =>
      (await otto.ended((await otto.ask(name, argumentsFor(name)))['run'])).join('\n')
    expect(await said('processes')).toMatch(/PID.*COMM(.|\n)*\n *1 /)
    expect(await said('disk')).toMatch(/1024-blocks(.|\n)*%/)
    expect(await said('uptime')).toContain('load ')
    expect(await said('show')).toContain('a fixed list of commands')
    expect(await said('services')).toMatch(/mailer +running/)
  })

  test.each<readonly [string, unknown]>([
    ['unknown', { command: 'reboot', args: {} }],
    ['of another role', { command: 'announce', args: { text: 'x' } }],
    ['of another role that claims more', { command: 'announce', args: { text: 'x' }, priv: true }],
    ['its own that claims more', { command: 'uptime', args: {}, priv: true }],
    ['its own that claims a role', { command: 'uptime', args: {}, roles: ['admin'] }],
    ['its own with a claim among the arguments', { command: 'uptime', args: { priv: true } }],
    ['its own with another argument', { command: 'show', args: { page: 'private' } }],
    ['its own with a path', { command: 'show', args: { page: '../server' } }],
    ['its own with more than one statement', { command: 'show', args: { page: 'welcome; show private' } }],
    ['its own with a list', { command: 'show', args: { page: ['welcome'] } }],
    ['its own in other letters', { command: 'UPTIME', args: {} }],
    ['with blanks around it', { command: ' uptime ', args: {} }],
    ['a member of every object', { command: 'constructor', args: {} }],
    ['the prototype', { command: '__proto__', args: {} }],
    ['no text', { command: ['uptime'], args: {} }],
    ['without arguments', { command: 'uptime' }],
    ['nothing', null],
    ['a bare word', 'uptime'],
  ])('are refused alike when they are %s, and it is written down', async (_, asked) => {
    const vera = await consoleOf('vera')
    const before = program.journal().length
    const answer: unknown = await vera.client.timeout(20_000).emitWithAck('command', asked)
    expect(answer).toEqual(forbidden)
    const written = program.journal().slice(before)
    expect(written).toContainEqual(
      expect.objectContaining({ act: 'command', outcome: 'refused', who: 'vera', reason: 'forbidden' }),
    )
    expect(vera.heard('line')).toEqual([])
  })

  test('run nothing for other events, other shapes of messages and bytes', async () => {
    const vera = await consoleOf('vera')
    const ask = (event: string, ...args: unknown[]): Promise<unknown> =>
      vera.client.timeout(20_000).emitWithAck(event, ...args)
    const before = program.journal().length
    expect(await ask('exec', 'uptime')).toEqual({ error: { reason: 'forbidden', action: 'exec' } })
    expect(await ask('command', { command: 'uptime', args: {} }, { priv: true })).toEqual(forbidden)
    expect(await ask('stop', { run: 'all' })).toMatchObject({ error: { reason: 'invalid_message' } })
    expect(await ask('command', { command: 'uptime', args: {}, file: Buffer.from('x') })).toEqual(forbidden)
    const nested = { command: 'uptime', args: { a: { b: { c: { d: 1 } } } } }
    expect(await ask('command', nested)).toMatchObject({ error: { reason: 'protocol_violation' } })
    const long = { command: 'announce', args: { text: 'x'.repeat(5_000) } }
    expect(await ask('command', long)).toMatchObject({ error: { reason: 'message_too_big' } })
    const written = program.journal().slice(before)
    expect(written.map(({ act, outcome, who, reason }) => [act, outcome, who, reason])).toEqual([
      ['message', 'refused', 'vera', 'forbidden'],
      ['command', 'refused', 'vera', 'forbidden'],
      ['message', 'refused', 'vera', 'invalid_message'],
      ['message', 'refused', 'vera', 'forbidden'],
      ['message', 'refused', 'vera', 'protocol_violation'],
      ['message', 'refused', 'vera', 'message_too_big'],
    ])
    expect(vera.heard('line')).toEqual([])
  })
})

describe('frames by hand', () => {
  test('are accepted and refused as those of the page are', async () => {
    const cookie = await logIn(program, 'vera')
    const hand = await bare(program, { cookie })
    onTestFinished(() => hand.socket.terminate())
    expect(await hand.frame(/^40/)).toMatch(/^40\/console,\{"sid":/)
    expect(await hand.frame(/welcome/)).toMatch(
      /^42\/console,\["welcome",\{"who":"vera","roles":\["viewer"\]/,
    )

    hand.send('42/console,7["command",{"command":"show","args":{"page":"welcome"}}]')
    const run = /^43\/console,7\[\{"run":(\d+),/.exec(await hand.frame(/^43\/console,7/))?.[1]
    expect(await hand.frame(/"end"/)).toMatch(`42/console,["end",{"run":${run},"outcome":"done"`)
    expect(hand.frames.filter((frame) => frame.startsWith('42/console,["line"'))).toHaveLength(3)

    // Without an acknowledgement the same refusal comes as an event.
    const refused = '42/console,["auth_error",{"reason":"forbidden","action":"command"}]'
    for (const frame of [
      '42/console,["command",{"command":"announce","args":{"text":"x"}}]',
      '42/console,["command",{"command":"announce","args":{"text":"x"},"priv":true}]',
      '42/console,["command",{"command":"uptime","args":{},"priv":true}]',
      '42/console,["command",{"command":"nothing","args":{}}]',
    ]) {
      const before = hand.frames.length
      hand.send(frame)
      await soon(() => hand.frames.length > before)
      expect(hand.frames.slice(before)).toEqual([refused])
    }
    const before = hand.frames.length
    hand.send('42/console,["command",{"command":"uptime","args":{"__proto__":{"priv":true}}}]')
    await soon(() => hand.frames.length > before)
    expect(hand.frames.at(-1)).toBe(
      '42/console,["auth_error",{"reason":"protocol_violation","action":"command"}]',
    )
  })

  test('run nothing before the namespace has accepted, nor on another one', async () => {
    const before = program.journal().filter(({ act }) => act === 'command').length
    const stranger = await bare(program, {})
    onTestFinished(() => stranger.socket.terminate())
    stranger.send('42/console,["command",{"command":"uptime","args":{}}]')
    stranger.send('42["command",{"command":"uptime","args":{}}]')
    await soon(() => stranger.frames.length > 1 || stranger.socket.readyState !== stranger.socket.OPEN)
    await sleep(200)
    expect(stranger.frames.filter((frame) => frame.startsWith('42'))).toEqual([])
    expect(program.journal().filter(({ act }) => act === 'command')).toHaveLength(before)
  })
})

describe('a run', () => {
  test('is stopped by the console that started it, and by no other', async () => {
    const [one, other] = [await consoleOf('otto'), await consoleOf('otto')]
    const { run } = await one.ask('logs')
    await soon(() => one.heard('line').length > 0)
    other.client.emit('stop', { run })
    for (const wrong of [{ run: String(run) }, {}, { run, priv: true }, null]) one.client.emit('stop', wrong)
    await other.ended((await other.ask('uptime'))['run'])
    expect(one.heard('end')).toEqual([])
    one.client.emit('stop', { run })
    await one.ended(run, 'stopped')
  })

  test('is one of three in a console and of five of a person', async () => {
    const [one, other] = [await consoleOf('otto'), await consoleOf('otto')]
    const asked = []
    for (const caller of [one, one, one, one, other, other, other]) asked.push(await caller.ask('logs'))
    const busy = { refused: 'busy' }
    const told = asked.map((answer) => ('run' in answer ? 'runs' : answer))
    expect(told.slice(0, 4)).toEqual(['runs', 'runs', 'runs', busy])
    expect(told.slice(4)).toEqual(['runs', 'runs', busy])
    await soon(() => program.journal().some(({ reason }) => reason === 'busy'))
    const someone = await consoleOf('ada')
    expect(await someone.ask('uptime')).toMatchObject({ run: expect.any(Number) })
    one.client.disconnect()
    await soon(() => program.journal().filter(({ outcome }) => outcome === 'console_ended').length >= 3)
    expect(await other.ask('uptime')).toMatchObject({ run: expect.any(Number) })
  })

  test.each(modes)('ends over %s with the login, and nothing of it follows', async (mode) => {
    const cookie = await logIn(program, 'otto')
    const otto = await enter(program, cookie, { mode })
    const { run } = await otto.ask('logs')
    await soon(() => otto.heard('line').length > 0)
    expect((await post(program, '/logout', { headers: { cookie } })).status).toBe(303)
    await soon(() => otto.fate.includes('io server disconnect'))
    const after = otto.events.length
    // What `logs` would tell at once.
    await logIn(program, 'vera')
    await sleep(100)
    expect(otto.events).toHaveLength(after)
    expect(otto.events.at(-1)).toEqual(['auth_end', { reason: 'logged_out', advice: 'stop' }])
    await soon(() =>
      program.journal().some((line) => line['run'] === run && line.outcome === 'console_ended'),
    )
    const again = call(program, { cookie }, { mode })
    await soon(() => again.fate.length > 0)
    expect(again.fate).toEqual(['refused: invalid_credential'])
  })

  test('ends with the session, on time', async () => {
    const brief = await startConsole(['--session', '2'])
    onTestFinished(() => void brief.stop())
    const otto = await consoleOf('otto', 'websocket', brief)
    const { run } = await otto.ask('logs')
    await soon(() => otto.fate.includes('io server disconnect'))
    const atMs = (act: string, outcome: string): number =>
      Date.parse(String(brief.journal().find((line) => line.act === act && line.outcome === outcome)?.['at']))
    const lastedMs = atMs('connection', 'ended') - atMs('login', 'accepted')
    expect(lastedMs).toBeGreaterThan(1_950)
    expect(lastedMs).toBeLessThan(3_000)
    expect(otto.heard('auth_end')).toEqual([expect.objectContaining({ reason: 'lease_expired' })])
    await soon(() => brief.journal().some((line) => line['run'] === run && line.outcome === 'console_ended'))
    const more = await (await fetch(brief.origin)).text()
    expect(more).toContain('<h1>Log in</h1>')
  })

  test('ends when an admin evicts whoever runs it', async () => {
    const [otto, ada] = [await consoleOf('otto'), await consoleOf('ada')]
    await otto.ask('logs')
    const { run } = await ada.ask('evict', { name: 'otto' })
    expect((await ada.ended(run))[0]).toMatch(/^consoles of otto ended: [1-9]/)
    await soon(() => otto.fate.includes('io server disconnect'))
    expect(otto.heard('auth_end')).toEqual([{ reason: 'logged_out', advice: 'stop' }])
  })

  test('tells every console what is announced', async () => {
    const [vera, ada] = [await consoleOf('vera'), await consoleOf('ada')]
    await ada.ended((await ada.ask('announce', { text: 'Tea is ready.' }))['run'])
    await soon(() => vera.heard('announce').length > 0)
    for (const caller of [vera, ada])
      expect(caller.heard('announce')).toEqual([{ who: 'ada', text: 'Tea is ready.' }])
    expect(await ada.ask('announce', { text: '🫖'.repeat(120) })).toHaveProperty('run')
    for (const text of ['', 'x'.repeat(121), 'two\nlines', 'a\u202eb', 'a\u0007b', 7])
      expect(await ada.ask('announce', { text })).toEqual(forbidden)
  })
})

describe('whoever says too much', () => {
  test('is answered, then told so, then cut off', async () => {
    const vera = await consoleOf('vera')
    for (let count = 0; count < 20; count++) expect(await vera.ask('nothing')).toEqual(forbidden)
    expect(await vera.ask('nothing')).toMatchObject({ error: { reason: 'too_many_attempts' } })
    const before = program.journal().filter(({ who }) => who === 'vera').length
    for (let count = 0; count < 60; count++) vera.client.emit('command', { command: 'nothing', args: {} })
    await soon(() => vera.fate.length > 1)
    const written = program
      .journal()
      .filter(({ who }) => who === 'vera')
      .slice(before)
    expect(written.length).toBeLessThan(30)
    expect(written.at(-1)).toMatchObject({ act: 'connection', outcome: 'ended', reason: 'too_many_attempts' })
    // All twenty of the excess, whether they were answered before the lease ended or not.
    const refused = written.filter(({ outcome }) => outcome === 'refused')
    expect(refused.length).toBeGreaterThanOrEqual(20)
    expect(vera.heard('auth_end')).toEqual([expect.objectContaining({ reason: 'too_many_attempts' })])
  })

  test('is not read beyond 16 KiB', async () => {
    const hand = await bare(program, { cookie: await logIn(program, 'vera') })
    await hand.frame(/welcome/)
    const closed = once(hand.socket, 'close')
    hand.send(`42/console,["command",{"command":"announce","args":{"text":"${'x'.repeat(20_000)}"}}]`)
    await closed
    expect(hand.frames.filter((frame) => frame.startsWith('43'))).toEqual([])
  })
})

describe('the journal', () => {
  test('has every act, in a file that only its owner reads, and no secret', async () => {
    const cookie = await logIn(program, 'otto')
    const otto = await enter(program, cookie)
    await otto.ended((await otto.ask('uptime'))['run'])
    await otto.ask('evict', { name: 'vera' })
    await post(program, '/login', { form: { username: 'my own secret', password: 'typed wrongly' } })
    await post(program, '/logout', { headers: { cookie } })
    await soon(() => otto.fate.length > 1)

    const file = join(folder, 'journal.jsonl')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const acts = program.journal()
    await soon(() => linesOf(program.output()).length === acts.length)
    expect(linesOf(program.output())).toEqual(acts)
    const who = 'otto'
    const common = { who, roles: ['operator'] }
    const last = acts.slice(
      acts.findLastIndex(({ act, outcome }) => act === 'login' && outcome === 'accepted'),
    )
    expect(last).toEqual([
      expect.objectContaining({ act: 'login', outcome: 'accepted', ...common, address: '127.0.0.1' }),
      expect.objectContaining({ act: 'connection', outcome: 'accepted', who, lease: expect.any(String) }),
      expect.objectContaining({
        act: 'command',
        outcome: 'started',
        command: 'uptime',
        run: expect.any(Number),
        ...common,
      }),
      expect.objectContaining({
        act: 'command',
        outcome: 'done',
        command: 'uptime',
        durationMs: expect.any(Number),
        ...common,
      }),
      expect.objectContaining({
        act: 'command',
        outcome: 'refused',
        command: 'evict vera',
        reason: 'forbidden',
        ...common,
      }),
      expect.objectContaining({ act: 'login', outcome: 'refused', reason: 'invalid_credential' }),
      expect.objectContaining({ act: 'connection', outcome: 'ended', who, reason: 'logged_out' }),
      expect.objectContaining({ act: 'logout', outcome: 'done', ...common }),
    ])
    for (const secret of [
      cookie.split('=')[1] ?? '',
      'css_',
      'may restart',
      'my own secret',
      'typed wrongly',
    ])
      expect(program.output()).not.toContain(secret)
  })
})

describe('the program', () => {
  test.each([
    ['--insecure', '0.0.0.0'],
    ['--insecure', '::'],
    ['--insecure', ''],
    ['--insecure', '192.0.2.1'],
    ['--insecure', '127.0.0.1.example'],
    ['--session=60', '0.0.0.0'],
  ])('with %s refuses to run on %j', async (option, host) => {
    const child = spawnConsole(['--port', '0', option, '--host', host])
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [code] = await once(child, 'exit')
    expect(code).toBe(2)
    expect(said).toMatch(/loopback only/)
    expect(said).not.toContain('ready')
  })

  test.each([['--port', 'x'], ['--port', '70000'], ['--session', '0'], ['--secure'], ['extra']])(
    'refuses %s %s',
    async (...args) => {
      const child = spawnConsole(args)
      expect((await once(child, 'exit'))[0]).toBe(2)
    },
  )

  test('ends what is running, writes that down, and leaves no process behind', async () => {
    const file = join(folder, 'other.jsonl')
    const other = await startConsole(['--session', '61', '--journal', file])
    const otto = await consoleOf('otto', 'websocket', other)
    const { run } = await otto.ask('logs')
    await soon(() => otto.heard('line').length > 0)
    await otto.ask('processes')
    expect(await other.stop()).toBe(0)
    expect(other.journal()).toContainEqual(expect.objectContaining({ run, outcome: 'console_ended' }))
    expect(processesMentioning(file)).toEqual([])
  })
})
