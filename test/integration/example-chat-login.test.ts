import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { openSocketIo } from '../../examples/chat/over-socket-io.ts'
import { openWebSockets } from '../../examples/chat/over-ws.ts'
import { maxLines, Room } from '../../examples/chat/room.ts'
import { isLoopback, readSettings } from '../../examples/chat/settings.ts'
import { Speech } from '../../examples/chat/speech.ts'
import { worldMap } from '../../examples/chat/world.ts'
import { createGuard, memory, query } from '../../packages/countersign/src/index.ts'
import { ticket } from '../../packages/countersign/src/methods/index.ts'
import {
  chatForTest,
  logIn,
  page,
  post,
  rawEvents,
  rawFrames,
  startChat,
  until,
  type Mode,
  type Program,
} from './support/chat-program.ts'

let program: Program
beforeAll(async () => {
  program = await startChat()
})
afterAll(async () => void (await program.stop()))

describe('the login of the chat', () => {
  it('gives an HttpOnly cookie, a fresh one each time, and ends what the browser came with', async () => {
    const first = await logIn(program, 'mara')
    const socket = await rawFrames(program, { cookie: first })
    const form = { nickname: 'mara', password: 'copper-harbour-19' }
    const again = await post(program, 'login', { form, headers: { cookie: first } })
    const [line = ''] = again.headers.getSetCookie()
    expect(line).toMatch(/^chat-session=css_[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
    expect(line).not.toContain(first)
    await until(() => socket.frames.at(-1) === 'closed 3003 logged_out')
    const late = await rawFrames(program, { cookie: first })
    await until(() => late.frames.length > 0)
    expect(late.frames).toEqual(['closed 3000 invalid_credential'])
  })

  it('takes no session that was planted before', async () => {
    const planted = `chat-session=css_${'A'.repeat(43)}`
    const form = { nickname: 'mara', password: 'copper-harbour-19' }
    const response = await post(program, 'login', { form, headers: { cookie: planted } })
    expect(response.headers.getSetCookie()[0]).not.toContain(planted)
  })

  it('answers alike for a wrong password and for a name that nobody has', async () => {
    const [known, unknown] = await Promise.all(
      ['ines', 'nobody'].map((nickname) => post(program, 'login', { form: { nickname, password: 'wrong' } })),
    )
    expect([known?.status, unknown?.status]).toEqual([401, 401])
    expect(await known?.text()).toBe(await unknown?.text())
  })

  it('slows guessing down, for the right password as well', async () => {
    const answers: number[] = []
    for (let tries = 0; tries < 7; tries++)
      answers.push((await post(program, 'login', { form: { nickname: 'teo', password: 'wrong' } })).status)
    expect(answers).toEqual([401, 401, 401, 401, 401, 429, 429])
    const right = { nickname: 'teo', password: 'slow-lantern-42' }
    expect((await post(program, 'login', { form: right })).status).toBe(429)
  })

  it.each(['login', 'logout', 'ticket'])('refuses POST /%s of another page', async (path) => {
    const cookie = await logIn(program, 'mara')
    const socket = await rawFrames(program, { cookie })
    await until(() => socket.frames.length > 0)
    const form = { nickname: 'mara', password: 'copper-harbour-19' }
    const response = await post(program, path, { form, headers: { origin: 'https://pages.example', cookie } })
    expect(response.status).toBe(403)
    expect(response.headers.getSetCookie()).toEqual([])
    await wait(50)
    expect(socket.frames.length).toBe(1)
  })

  it.each([
    ['too long', 'x'.repeat(5_000), 413],
    ['empty', '', 401],
    ['with a colon in the name', 'nickname=mara%3Acopper&password=-harbour-19', 401],
    ['with two names', 'nickname=mara&nickname=otto&password=copper-harbour-19', 401],
  ])('refuses a form that is %s, without a word about why', async (_what, body, status) => {
    const headers = { origin: program.origin, 'content-type': 'application/x-www-form-urlencoded' }
    const response = await fetch(`${program.url}login`, { method: 'POST', headers, body })
    expect(response.status).toBe(status)
    expect(await response.text()).not.toMatch(/\bat |node_modules|\.ts:/)
  })

  it('serves pages with nothing inline, nothing from elsewhere, and names escaped', async () => {
    const cookie = await logIn(program, 'mara')
    for (const path of ['', 'login']) {
      const response = await fetch(program.url + path, { headers: { cookie } })
      const text = await response.text()
      expect(response.headers.get('content-security-policy')).toMatch(
        /default-src 'none'; script-src 'self';/,
      )
      expect(response.headers.get('content-security-policy')).not.toContain('unsafe')
      expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:\/\//)
    }
    expect((await fetch(program.url, { redirect: 'manual' })).headers.get('location')).toBe('/login')
    expect(
      (await fetch(program.url, { headers: { cookie, origin: 'https://pages.example' } })).url,
    ).toContain('/login')
  })
})

describe('a socket of the chat', () => {
  it.each<Mode>(['polling', 'websocket', 'upgrade'])(
    'hears over %s that its login was logged out, and is closed',
    async (mode) => {
      const cookie = await logIn(program, 'mara')
      const events = await page(program, mode, { cookie })
      const frames = await rawFrames(program, { cookie })
      await post(program, 'logout', { headers: { cookie } })
      await until(() => events.heard.some(([name]) => name === 'disconnect'))
      expect(events.heard.at(-2)).toEqual(['auth_end', { reason: 'logged_out', advice: 'stop' }])
      await until(() => frames.frames.at(-1) === 'closed 3003 logged_out')
    },
  )

  it('is warned, and ends with its session, without a word more', async () => {
    const brief = await chatForTest('--session', '2')
    const cookie = await logIn(brief, 'mara')
    const events = await page(brief, 'websocket', { cookie })
    const frames = await rawFrames(brief, { cookie })
    await until(() => events.heard.some(([name]) => name === 'disconnect'))
    const names = events.heard.map(([name]) => name)
    // A session so short is warned of in the moment in which it opens.
    expect(names.slice(0, 2).toSorted()).toEqual(['auth_expiring', 'welcome'])
    expect(names.slice(2)).toEqual(['auth_end', 'disconnect'])
    expect(events.heard.at(-2)).toEqual(['auth_end', { reason: 'lease_expired', advice: 'new_credential' }])
    await until(() => frames.frames.at(-1) === 'closed 3000 lease_expired')
    // Leases end up to a tenth before what they rest upon.
    const look = async (): Promise<number> =>
      (await fetch(brief.url, { headers: { cookie }, redirect: 'manual' })).status
    await expect.poll(look).toBe(303)
  })

  it('opens with a ticket once, and ends with the login that asked for it', async () => {
    const cookie = await logIn(program, 'mara')
    const answer = await post(program, 'ticket', { headers: { cookie } })
    const { ticket: secret } = (await answer.json()) as { readonly ticket: string }
    const [first, second] = [
      await rawFrames(program, { query: `ticket=${secret}`, origin: undefined }),
      await rawFrames(program, { query: `ticket=${secret}`, origin: undefined }),
    ]
    await until(() => first.frames.length > 0)
    expect(first.frames[0]).toContain('"nickname":"mara"')
    expect(second.status()).toBe(401)
    await post(program, 'logout', { headers: { cookie } })
    await until(() => first.frames.at(-1) === 'closed 3003 logged_out')
  })
})

describe('who does not read', () => {
  /** Both doors on a room of the test's own, which nobody's rate bounds. */
  async function openDoors(): Promise<{
    readonly room: Room
    readonly url: (path: string) => Promise<string>
  }> {
    const guard = createGuard({ records: memory(), accept: [ticket({ from: query('ticket') })] })
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const room = new Room()
    const chat = { room, speech: new Speech(room) }
    const closeEvents = openSocketIo(server, guard, chat)
    const closeFrames = openWebSockets(server, guard, chat)
    onTestFinished(async () => {
      guard.close()
      closeFrames()
      await closeEvents()
    })
    const { port } = server.address() as AddressInfo
    return {
      room,
      url: async (path) => {
        const { ticket: secret } = await guard.issue.ticket({ subject: 'mara', roles: ['member'] })
        return `ws://127.0.0.1:${String(port)}/${path}${path.includes('?') ? '&' : '?'}ticket=${secret}`
      },
    }
  }

  it.each(['chat', 'socket.io/?EIO=4&transport=websocket'])(
    'is cut off at /%s, and nobody else',
    async (path) => {
      const { room, url } = await openDoors()
      const [deaf, keen] = [new WebSocket(await url(path)), new WebSocket(await url(path))]
      onTestFinished(() => [deaf, keen].forEach((socket) => socket.terminate()))
      let heard = 0
      keen.on('message', () => heard++)
      for (const socket of [deaf, keen]) {
        if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open')
        if (path !== 'chat') socket.send('40')
      }
      await until(() => heard > (path === 'chat' ? 0 : 2))
      await wait(50)
      deaf.pause()
      // Far more than the system's own buffers take.
      for (let said = 0; said < 1_000; said++) {
        const before = heard
        room.post({ nickname: 'teo', message: 'm'.repeat(20_000), lat: 0, lon: 0 })
        await new Promise<void>((resolve) => keen.once('message', () => resolve()))
        expect(heard).toBe(before + 1)
      }
      const closed = once(deaf, 'close')
      deaf.resume()
      await closed
      expect(keen.readyState).toBe(WebSocket.OPEN)
      const before = heard
      room.post({ nickname: 'teo', message: 'still here', lat: 0, lon: 0 })
      await until(() => heard > before)
    },
  )

  it('finds the last hundred messages when they come later, and no more', () => {
    const room = new Room()
    for (let said = 0; said < 150; said++)
      room.post({ nickname: 'teo', message: String(said), lat: 0, lon: 0 })
    expect(room.lines.length).toBe(maxLines)
    expect(room.lines[0]?.message).toBe('50')
  })
})

describe('the program', () => {
  it.each([
    [['--insecure', '--host', '0.0.0.0'], 'loopback only'],
    [['--port', '99999'], '--port'],
  ])('does not start with %j', async (args, words) => {
    await expect(startChat(...args)).rejects.toThrow(words)
  })

  it.each([
    [['--insecure', '--host', '0.0.0.0'], 'loopback only'],
    [['--insecure', '--host', '::'], 'loopback only'],
    [['--insecure', '--host', '192.0.2.1'], 'loopback only'],
    [['--insecure', '--host', '127.evil.example'], 'loopback only'],
    [['--insecure', '--host', 'localhost.evil.example'], 'loopback only'],
    [['--insecure', '--host', ''], 'loopback only'],
    [['--session', '0'], '--session'],
    [['--priv'], '--priv'],
    [['extra'], 'extra'],
  ])('finds something wrong with %j', (args, words) => {
    expect(readSettings(args)).toContain(words)
  })

  it('takes for loopback what is, and nothing that looks like it', () => {
    const no = [
      '127.0.0.1.evil.example',
      '0.0.0.0',
      '::',
      '1270.0.0.1',
      '127.1',
      'LOCALHOST.',
      '::ffff:127.0.0.1',
    ]
    expect(['127.0.0.1', '127.8.9.10', '::1', 'localhost'].every(isLoopback)).toBe(true)
    expect(no.filter(isLoopback)).toEqual([])
  })

  it.each([[[]], [['--insecure']]])('%j closes its sockets on SIGTERM and ends with 0', async (args) => {
    const one = await startChat(...args)
    const cookie = await logIn(one, 'mara')
    const [events, frames] = [await rawEvents(one, { cookie }), await rawFrames(one, { cookie })]
    await until(() => frames.frames.length > 0)
    expect(await one.stop()).toBe(0)
    await until(() => [events, frames].every((each) => each.frames.at(-1)?.startsWith('closed') === true))
    const gone = connect(Number(new URL(one.url).port), '127.0.0.1')
    await expect(once(gone, 'connect')).rejects.toThrow('ECONNREFUSED')
  })

  it('says loudly on both sides that the twin is one', async () => {
    const twin = await chatForTest('--insecure')
    expect(twin.written()).toContain('INSECURE TWIN')
    expect(await (await fetch(`${twin.url}login`)).text()).toContain('Insecure twin.')
    expect(await (await fetch(`${program.url}login`)).text()).not.toContain('Insecure twin')
  })

  it('places a point on its map where the coastlines have it', async () => {
    const file: string = '../../examples/chat/page/projection.mjs'
    const { project } = await import(file)
    const world = worldMap()
    const { geoEqualEarth } = await import('d3-geo')
    const drawn = geoEqualEarth().scale(world.scale).translate([world.x, world.y])
    for (const [lat, lon] of [
      [0, 0],
      [48.137, 11.575],
      [-33.86, 151.21],
      [90, 0],
      [-90, 180],
      [71, -179.9],
    ] as const) {
      const [x = 0, y = 0] = drawn([lon, lat]) ?? []
      const point = project(world, lat, lon)
      expect(point.x).toBeCloseTo(x, 3)
      expect(point.y).toBeCloseTo(y, 3)
    }
  })
})
