/** Every planted hole of the insecure twin is open there, and closed in the chat. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { root } from '../../tools/processes.ts'
import {
  chatForTest,
  logIn,
  page,
  post,
  rawEvents,
  rawFrames,
  startChat,
  type Bare,
  type Program,
} from './support/chat-program.ts'

interface Hole {
  readonly id: string
  readonly check: string
  readonly cwe: string
  readonly title: string
  readonly where: string
  readonly how: string
}

const folder = join(root, 'examples/chat')
const holes: readonly Hole[] = JSON.parse(readFileSync(join(folder, 'holes.json'), 'utf8'))

const elsewhere = 'https://pages.example'
const line = { message: 'A quiet evening.', lat: 1, lon: 2 }

/** Whether it shows soon: a hole answers at once, and what is closed stays silent. */
async function shows(seen: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < 60; waited++) {
    if (seen()) return true
    await wait(waited < 40 ? 10 : 20)
  }
  return false
}

const has = (bare: Bare, ...words: readonly string[]): Promise<boolean> =>
  shows(() => bare.frames.some((frame) => words.every((word) => frame.includes(word))))

/** What a probe is given: a program, whose members are logged in. */
interface Target {
  readonly program: Program
  readonly cookies: Readonly<Record<'mara' | 'ines' | 'otto', string>>
  /** Hears everything, as a moderator. */
  readonly listener: Bare
}

async function event(target: Target, name: string, body: object): Promise<Bare> {
  const one = await rawEvents(target.program, { cookie: target.cookies.mara })
  one.say(`42${JSON.stringify([name, body])}`)
  return one
}

/** Says something in ines' name. @returns its number */
async function said(target: Target): Promise<number> {
  const { ask } = await page(target.program, 'websocket', { cookie: target.cookies.ines })
  const answer = (await ask('outgoing message', line)) as { readonly number?: number }
  expect(answer.number).toBeGreaterThan(0)
  return answer.number ?? 0
}

const wrong = (program: Program, nickname: string): Promise<Response> =>
  post(program, 'login', { form: { nickname, password: 'wrong' } })

/** Whether a hole is open. Each goes the way that `how` in `holes.json` describes. */
const probes: Readonly<Record<string, (target: Target) => Promise<boolean>>> = {
  'chat-1': async ({ program, cookies }) => {
    const opening = { cookie: cookies.mara, origin: elsewhere }
    const [frames, events] = [await rawFrames(program, opening), await rawEvents(program, opening)]
    const [one, other] = [await has(frames, '"nickname":"mara"'), await has(events, '"nickname":"mara"')]
    expect(one).toBe(other)
    return one
  },
  'chat-2': async ({ program }) => {
    const url = `${program.url}socket.io/?EIO=4&transport=polling`
    const { headers } = await fetch(url, { headers: { origin: elsewhere } })
    return (
      headers.get('access-control-allow-origin') === elsewhere &&
      headers.get('access-control-allow-credentials') === 'true'
    )
  },
  'chat-3': async ({ program, cookies }) => {
    const one = await rawFrames(program, { cookie: cookies.mara, host: 'pages.example' })
    return has(one, 'welcome')
  },
  'chat-4': async (target) => {
    await said(target)
    const [frames, events] = [await rawFrames(target.program), await rawEvents(target.program)]
    const [one, other] = [await has(frames, line.message), await has(events, line.message)]
    expect(one).toBe(other)
    return one
  },
  'chat-5': async (target) => {
    await event(target, 'outgoing message', { ...line, message: 'Not by otto.', nickname: 'otto' })
    return has(target.listener, '"nickname":"otto"', 'Not by otto.')
  },
  'chat-6': async (target) => {
    const number = await said(target)
    await event(target, 'remove message', { number })
    return has(target.listener, `{"type":"message removed","number":${String(number)}}`)
  },
  'chat-7': async (target) => {
    const number = await said(target)
    const one = await rawFrames(target.program, { cookie: target.cookies.mara })
    one.say(JSON.stringify({ type: 'remove', number, priv: true }))
    return has(target.listener, `{"type":"message removed","number":${String(number)}}`)
  },
  'chat-8': async (target) => {
    await event(target, 'outgoing message', { message: ['a', 'list'], lat: 900, lon: 'east' })
    return has(target.listener, '"lat":900')
  },
  'chat-9': async ({ program }) => {
    const words = await (await fetch(`${program.url}page/words.mjs`)).text()
    const { headers } = await fetch(`${program.url}login`)
    const markup = words.includes('innerHTML')
    expect(words.includes('textContent')).toBe(!markup)
    return markup && headers.get('content-security-policy') === null
  },
  'chat-10': async (target) => {
    await event(target, 'outgoing message', { ...line, message: 'm'.repeat(1_000_000) })
    return shows(() => target.listener.frames.some((frame) => frame.length > 1_000_000))
  },
  'chat-11': async (target) => {
    const one = await rawEvents(target.program, { cookie: target.cookies.mara })
    const heard = (): number => target.listener.frames.filter((frame) => frame.includes('Number ')).length
    for (let sent = 0; sent < 200; sent++)
      one.say(`42${JSON.stringify(['outgoing message', { ...line, message: `Number ${String(sent)}` }])}`)
    const all = await shows(() => heard() === 200)
    if (!all) expect(heard()).toBeLessThan(20)
    return all
  },
  'chat-12': async ({ program, cookies }) => {
    const answer = await post(program, 'ticket', { headers: { cookie: cookies.mara } })
    const { ticket } = (await answer.json()) as { readonly ticket: string }
    const opening = { query: `ticket=${ticket}`, origin: undefined }
    expect(await has(await rawFrames(program, opening), '"nickname":"mara"')).toBe(true)
    return has(await rawFrames(program, opening), '"nickname":"mara"')
  },
  'chat-13': async ({ program, cookies }) => {
    const query = `session=${cookies.mara.split('=')[1] ?? ''}`
    return has(await rawFrames(program, { query }), '"nickname":"mara"')
  },
  'chat-14': async ({ program, listener }) => {
    const cookie = await logIn(program, 'ines')
    const one = await rawEvents(program, { cookie })
    await post(program, 'logout', { headers: { cookie } })
    one.say(`42${JSON.stringify(['outgoing message', { ...line, message: 'After the logout.' }])}`)
    return has(listener, 'After the logout.')
  },
  'chat-15': async ({ program }) => {
    const insecure = program.written().includes('INSECURE')
    const brief = await chatForTest('--session', '2', ...(insecure ? ['--insecure'] : []))
    const one = await rawEvents(brief, { cookie: await logIn(brief, 'mara') })
    await wait(3_000)
    const listener = await rawFrames(brief, { cookie: await logIn(brief, 'otto') })
    if (one.socket.readyState === one.socket.OPEN)
      one.say(`42${JSON.stringify(['outgoing message', { ...line, message: 'After the end.' }])}`)
    return has(listener, 'After the end.')
  },
  'chat-16': async ({ program }) => {
    const planted = 'chat-session=chosen-by-somebody-else'
    const form = { nickname: 'mara', password: 'copper-harbour-19' }
    await post(program, 'login', { form, headers: { cookie: planted } })
    return has(await rawFrames(program, { cookie: planted }), '"nickname":"mara"')
  },
  'chat-17': async ({ program }) => {
    const [known, unknown] = [await wrong(program, 'otto'), await wrong(program, 'nobody')]
    expect([known.status, unknown.status]).toEqual([401, 401])
    return (await known.text()) !== (await unknown.text())
  },
  'chat-18': async ({ program }) => {
    for (let tries = 0; tries < 30; tries++) await wrong(program, 'teo')
    const form = { nickname: 'teo', password: 'slow-lantern-42' }
    return (await post(program, 'login', { form })).status === 303
  },
  'chat-19': async ({ program }) => {
    const form = { nickname: 'mara', password: 'copper-harbour-19' }
    const [cookie = ''] = (await post(program, 'login', { form })).headers.getSetCookie()
    expect(cookie).toContain('chat-session=')
    return !/HttpOnly/.test(cookie) && !/SameSite=(?:Lax|Strict)/.test(cookie)
  },
  'chat-20': async ({ program, cookies }) => {
    const one = await rawFrames(program, { cookie: cookies.mara })
    one.say('this is no JSON')
    return has(one, '"stack"', '.ts:')
  },
  'chat-21': async ({ program, cookies }) => {
    const one = await rawFrames(program, { cookie: cookies.mara })
    one.socket.send(Buffer.from('wxyz'))
    one.say('{"type":"unheard of","value":"and back"}')
    const [binary, unknown] = [await has(one, 'wxyz'), await has(one, 'and back')]
    expect(binary).toBe(unknown)
    return binary
  },
  'chat-22': async ({ program, cookies }) =>
    has(await rawFrames(program, { cookie: cookies.mara, path: 'somewhere/else' }), 'welcome'),
  'chat-23': async ({ program, cookies }) => {
    await rawFrames(program, { cookie: cookies.mara })
    return shows(() => program.written().includes(cookies.mara.split('=')[1] ?? ''))
  },
}

/** One program for all probes; a listener and its members for each. */
function openTarget(...args: readonly string[]): () => Promise<Target> {
  let program: Program
  let cookies: Target['cookies']
  beforeAll(async () => {
    program = await startChat(...args)
    const [mara, ines, otto] = await Promise.all([
      logIn(program, 'mara'),
      logIn(program, 'ines'),
      logIn(program, 'otto'),
    ])
    cookies = { mara, ines, otto }
  })
  afterAll(async () => void (await program.stop()))
  return async () => {
    const listener = await rawFrames(program, { cookie: cookies.otto })
    onTestFinished(() => listener.socket.terminate())
    return { program, cookies, listener }
  }
}

describe('a hole of the insecure twin', () => {
  const target = openTarget('--insecure')
  it.each(holes)('$id is open: $title', async ({ id }) => {
    expect(await probes[id]?.(await target())).toBe(true)
  })

  it('leaves it up, whatever is thrown at it', async () => {
    const { program } = await target()
    const [events, frames] = [await rawEvents(program), await rawFrames(program, { query: 'ticket=%' })]
    events.say('42["outgoing message"]', '42["remove message"]', '42["mute",1,2,3]', '4', '49')
    frames.say('null', '[]', '7', '{"type":"remove","priv":true}', '{"type":"mute","priv":true}', '{')
    const unreadable = await rawFrames(program, { path: '//' })
    unreadable.socket.terminate()
    await wait(100)
    expect((await fetch(`${program.url}login`)).status).toBe(200)
  })
})

describe('the same in the chat', () => {
  const target = openTarget()
  it.each(holes)('$id is closed: $title', async ({ id }) => {
    expect(await probes[id]?.(await target())).toBe(false)
  })
})

describe('the list of holes', () => {
  it('has a probe for each, and each has a probe', () => {
    expect(holes.map(({ id }) => id)).toEqual(Object.keys(probes))
  })

  it('says of each which check finds it, what it is, and where it stands', () => {
    for (const hole of holes) {
      expect(Object.keys(hole)).toEqual(['id', 'check', 'cwe', 'title', 'where', 'how'])
      expect(hole.check).toMatch(/^(?:[TOZ]\d|[AI]\d{1,2})$/)
      expect(hole.cwe).toMatch(/^CWE-\d+$/)
      const [file = '', symbol = ''] = hole.where.split(':')
      expect(readFileSync(join(folder, file), 'utf8'), hole.id).toMatch(new RegExp(`\\b${symbol}\\(`))
    }
  })

  it('stands in the page about the example as well', () => {
    const readme = readFileSync(join(folder, 'README.md'), 'utf8')
    for (const { id, check, cwe, title } of holes)
      expect(readme).toContain(`| \`${id}\` | ${title} | ${check} | ${cwe} |`)
  })
})
