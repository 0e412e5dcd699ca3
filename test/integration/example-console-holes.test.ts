/**
 * The holes of `examples/console/holes.json`, each looked for twice, in the same way: it is open in the insecure twin and
 * shut in the console as it should be.
 */
import { request } from 'node:http'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  bare,
  call,
  enter,
  folder,
  logIn,
  post,
  soon,
  startConsole,
  type Caller,
  type Program,
} from './support/console-program.ts'

interface Hole {
  readonly id: string
  readonly check: string
  readonly cwe: number
  readonly title: string
  readonly where: string
  readonly how: string
}

const holes = JSON.parse(readFileSync(join(folder, 'holes.json'), 'utf8')) as readonly Hole[]
const evil = 'https://evil.example'

let twin: Program
let safe: Program

beforeAll(async () => {
  ;[twin, safe] = await Promise.all([startConsole(['--insecure']), startConsole()])
})
afterAll(async () => {
  await Promise.all([twin.stop(), safe.stop()])
})

/** A socket at the program, once it has greeted or was turned away. */
async function knock(
  program: Program,
  ...[headers, options]: Parameters<typeof call> extends [unknown, ...infer Rest] ? Rest : never
): Promise<Caller> {
  const caller = call(program, headers, options)
  onTestFinished(() => void caller.client.disconnect())
  await soon(() => caller.events.length > 0 || caller.fate.some((word) => word !== 'connected'))
  return caller
}

const greeted = (caller: Caller, who: string): boolean => caller.heard('welcome')[0]?.['who'] === who

async function consoleOf(program: Program, username: string, cookie?: string): Promise<Caller> {
  const caller = await enter(program, cookie ?? (await logIn(program, username)))
  onTestFinished(() => void caller.client.disconnect())
  return caller
}

/** Whether a socket still runs commands. */
async function runs(caller: Caller): Promise<boolean> {
  let answer: unknown
  caller.client.emit('command', { command: 'uptime', args: {} }, (told: unknown) => (answer = told))
  await soon(() => answer !== undefined || !caller.client.connected)
  return typeof Reflect.get(Object(answer), 'run') === 'number'
}

/** One look for each hole. @returns whether it is open */
const looks: Readonly<Record<string, (program: Program) => Promise<boolean>>> = {
  async 'console-1'(program) {
    return greeted(await knock(program, { cookie: await logIn(program, 'otto'), origin: evil }), 'otto')
  },
  async 'console-2'({ origin }) {
    const answer = await fetch(`${origin}/socket.io/?EIO=4&transport=polling`, { headers: { origin: evil } })
    const { headers } = answer
    return (
      headers.get('access-control-allow-origin') === evil && headers.has('access-control-allow-credentials')
    )
  },
  async 'console-3'({ origin }) {
    const asked = request(origin, { headers: { host: 'evil.example' } }).end()
    const [answer] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }]
    answer.resume()
    return answer.statusCode === 200
  },
  async 'console-4'(program) {
    const page = await (await fetch(program.origin)).text()
    expect(page).toContain('<h1>Log in</h1>')
    const caller = await knock(program, {})
    return caller.fate[0] === 'connected' && runs(caller)
  },
  async 'console-5'(program) {
    await logIn(program, 'vera')
    const caller = await knock(program, {}, { namespace: '/debug' })
    return caller.heard('state').some(({ logins }) => Array.isArray(logins) && logins.includes('vera'))
  },
  async 'console-6'(program) {
    const hand = await bare(program, { cookie: await logIn(program, 'vera') })
    onTestFinished(() => hand.socket.terminate())
    await hand.frame(/welcome/)
    hand.send('42/console,["command",{"command":"restart","args":{"service":"mailer"}}]')
    await hand.frame(/running, start|auth_error/)
    return hand.frames.some((frame) => frame.includes('mailer: running, start'))
  },
  async 'console-7'(program) {
    const [vera, ada] = [await consoleOf(program, 'vera'), await consoleOf(program, 'ada')]
    const args = { text: 'All is well.' }
    // Without the claim it is refused by both.
    expect(await vera.ask('announce', args)).toHaveProperty('error')
    await vera.ask('announce', args, { priv: true })
    await sleep(500)
    return ada.heard('announce').length === 1
  },
  async 'console-8'(program) {
    const [otto, vera] = [await consoleOf(program, 'otto'), await consoleOf(program, 'vera')]
    const { run } = await otto.ask('logs')
    await soon(() => otto.heard('line').length > 0)
    vera.client.emit('stop', { run })
    await vera.ask('uptime')
    await sleep(500)
    return otto.heard('end').some((told) => told['run'] === run && told['outcome'] === 'stopped')
  },
  async 'console-9'(program) {
    const cookie = await logIn(program, 'otto')
    const otto = await consoleOf(program, 'otto', cookie)
    await post(program, '/logout', { headers: { cookie } })
    expect(await (await fetch(program.origin, { headers: { cookie } })).text()).toContain('<h1>Log in</h1>')
    return runs(otto)
  },
  async 'console-10'(program) {
    const brief = await startConsole(['--session', '2', ...(program === twin ? ['--insecure'] : [])])
    onTestFinished(() => void brief.stop())
    const cookie = await logIn(brief, 'otto')
    const otto = await consoleOf(brief, 'otto', cookie)
    expect(await runs(otto)).toBe(true)
    await sleep(3_000)
    expect(await (await fetch(brief.origin, { headers: { cookie } })).text()).toContain('<h1>Log in</h1>')
    return runs(otto)
  },
  async 'console-11'(program) {
    const cookie = 'console-session=css_chosen-by-somebody-else'
    const form = { username: 'vera', password: 'vera may look' }
    expect((await post(program, '/login', { form, headers: { cookie } })).status).toBe(303)
    return greeted(await knock(program, { cookie }), 'vera')
  },
  async 'console-12'(program) {
    const [known, unknown] = await Promise.all(
      ['vera', 'nora'].map(async (username) =>
        post(program, '/login', { form: { username, password: 'x' } }),
      ),
    )
    return known?.text.replaceAll('vera', 'nora') !== unknown?.text.replaceAll('vera', 'nora')
  },
  async 'console-13'(program) {
    const statuses: number[] = []
    for (let tries = 0; tries < 30; tries++)
      statuses.push((await post(program, '/login', { form: { username: 'guessed', password: 'x' } })).status)
    expect(statuses[0]).toBe(401)
    return statuses.every((status) => status === 401)
  },
  async 'console-14'(program) {
    const { cookies } = await post(program, '/login', {
      form: { username: 'vera', password: 'vera may look' },
    })
    expect(cookies).toHaveLength(1)
    return !/HttpOnly/.test(cookies[0] ?? '') && !/SameSite/.test(cookies[0] ?? '')
  },
  async 'console-15'(program) {
    const token = (await logIn(program, 'otto')).split('=')[1]
    return greeted(await knock(program, {}, { query: { token } }), 'otto')
  },
  async 'console-16'(program) {
    const secret = (await logIn(program, 'vera')).split('=')[1] ?? ''
    expect(secret.length).toBeGreaterThan(20)
    await soon(() => program.journal().some(({ act, who }) => act === 'login' && who === 'vera'))
    return program.output().includes(secret)
  },
  async 'console-17'(program) {
    const vera = await consoleOf(program, 'vera')
    const { run } = await vera.ask('show', { page: 'welcome; show private' })
    if (run !== undefined) await vera.ended(run)
    return vera.heard('line').some(({ text }) => String(text).includes('blue cabinet'))
  },
  async 'console-18'(program) {
    const hand = await bare(program, { cookie: await logIn(program, 'vera') })
    onTestFinished(() => hand.socket.terminate())
    await hand.frame(/welcome/)
    hand.send(`42/console,9["command",{"command":"show","args":{"page":"${'x'.repeat(2_000_000)}"}}]`)
    await soon(
      () =>
        hand.socket.readyState !== hand.socket.OPEN || hand.frames.some((frame) => frame.startsWith('43')),
    )
    return hand.frames.some((frame) => frame.startsWith('43/console,9[{"run"'))
  },
  async 'console-19'(program) {
    const vera = await consoleOf(program, 'vera')
    let answers = 0
    for (let count = 0; count < 300; count++)
      vera.client.emit('command', { command: 'uptime', args: {} }, ({ run }: { run?: number }) => {
        if (run !== undefined) answers++
      })
    await soon(() => answers === 300 || vera.fate.length > 1)
    return answers === 300
  },
  async 'console-20'(program) {
    const otto = await consoleOf(program, 'otto')
    const answer = JSON.stringify(await otto.ask('restart', { service: 'nothing' }))
    expect(answer).toContain('error')
    return /\.ts:\d+:\d+/.test(answer)
  },
}

describe('the holes of the console', () => {
  test('are those of the list, each with a look of its own', () => {
    expect(holes.map(({ id }) => id)).toEqual(Object.keys(looks))
    expect(new Set(holes.map(({ check }) => check)).size).toBe(holes.length)
  })

  test('are those that the page shows', () => {
    const page = readFileSync(join(folder, 'README.md'), 'utf8')
    const rows = holes.map(({ id, check, cwe, title }) => `| ${id} | ${check} | ${cwe} | ${title} |`)
    expect(page.split('\n').filter((line) => line.startsWith('| console-'))).toEqual(rows)
  })

  test.each(holes)('$id stands where the list says', ({ where, check, cwe }) => {
    const [file = '', symbol = ''] = where.split(':')
    expect(readFileSync(join(folder, file), 'utf8')).toMatch(new RegExp(`(function |^  )${symbol}\\(`, 'm'))
    expect(check).toMatch(/^(T[1-6]|O[1-9]|A([1-9]|1[0-7])|Z[1-6]|I([1-9]|1[0-5]))$/)
    expect(cwe).toBeGreaterThan(0)
  })

  test.each(holes)('$id is open in the insecure twin: $title', async ({ id }) => {
    expect(await looks[id]?.(twin)).toBe(true)
  })

  test.each(holes)('$id is shut in the console: $title', async ({ id }) => {
    expect(await looks[id]?.(safe)).toBe(false)
  })

  test('stand under a banner, on the page and in the terminal', async () => {
    expect(await (await fetch(twin.origin)).text()).toContain('Insecure twin.')
    const cookie = await logIn(twin, 'vera')
    expect(await (await fetch(twin.origin, { headers: { cookie } })).text()).toContain('Insecure twin.')
    expect(await (await fetch(safe.origin)).text()).not.toContain('Insecure twin.')
    expect(twin.errors()).toMatch(/^INSECURE: /)
    expect(safe.errors()).toBe('')
  })

  test('show nothing of this machine: the twin starts no program', async () => {
    const otto = await consoleOf(twin, 'otto')
    for (const command of ['processes', 'disk'])
      expect(await otto.ended((await otto.ask(command))['run'])).toEqual([
        `${command}: the insecure twin starts no programs`,
      ])
  })
})
