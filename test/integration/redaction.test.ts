import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { logIn, postAs, runLab, type RunningLab } from '../support/running-lab.ts'

/** A text that nothing but a secret contains. */
const mark = 'MARKEDSECRETdonotprint'

/** The mark as it may be written: in clear in any case, or inside base64 at each of its three alignments. */
const spellings: readonly string[] = [
  mark,
  ...[0, 1, 2].map((shift) => {
    const text = Buffer.from(' '.repeat(shift) + mark).toString('base64url')
    return text.slice(4, -4)
  }),
].map((text) => text.toLowerCase())

/** The spellings of the mark that a text contains. */
function marksIn(text: string): readonly string[] {
  return spellings.filter((spelling) => text.toLowerCase().includes(spelling))
}

let lab: RunningLab
let cookie: string

beforeAll(async () => {
  lab = await runLab(['--log', 'debug'])
  cookie = await logIn(lab)
})
afterAll(() => lab.stop())

interface Knock {
  readonly door: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly protocols?: readonly string[]
  readonly send?: readonly string[]
}

/** Knocks and waits for the end, whatever it is. */
function knock(shown: Knock): Promise<void> {
  return new Promise((resolve) => {
    const base = lab.door(shown.door).url
    const socket = new WebSocket(new URL(shown.path ?? '/', base), [...(shown.protocols ?? [])], {
      headers: { ...shown.headers },
      rejectUnauthorized: false,
    })
    socket.on('open', () => {
      for (const message of shown.send ?? []) socket.send(message)
    })
    socket.on('message', () => socket.close())
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
    setTimeout(() => socket.terminate(), 3_000).unref()
  })
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
const jwt = `${Buffer.from('{"alg":"EdDSA"}').toString('base64url')}.${Buffer.from(`{"sub":"${mark}"}`).toString('base64url')}.${'A'.repeat(86)}`

/** The same at the door of Socket.IO, whose requests have a path of their own. */
const engine = '/socket.io/?EIO=4&transport=websocket'
const socketIoKnocks: readonly Knock[] = [
  { path: `${engine}&ticket=cst_${mark}&token=${mark}&probe=p1` },
  { path: `${engine}&sid=${mark}` },
  { headers: { authorization: `Bearer csk_${mark}` } },
  { headers: { cookie: `countersign-session=css_${mark}`, origin: 'http://hostile.invalid' } },
  { headers: { cookie: `countersign-session=css_${mark}` }, send: ['40'] },
  ...[
    `40{"ticket":"cst_${mark}"}`,
    `40{"token":"${jwt}"}`,
    `40/${mark},{}`,
    `40{"pid":"${mark}","offset":"x"}`,
  ].map((packet) => ({ send: [packet] })),
  ...[`40{"ticket":"${mark}"`, `42["auth",{"ticket":"cst_${mark}"}]`, mark].map((packet) => ({
    send: [packet],
  })),
].map((shown) => ({ path: engine, ...shown, door: 'D14' }))

/** Every door with a marked secret in every place that a client could put one, its own place or not. */
const plainKnocks: readonly Knock[] = Array.from({ length: 13 }, (_, index) => `D${index + 1}`).flatMap(
  (door) => [
    { door, path: `/?ticket=cst_${mark}&token=${mark}&csrf=csc_${mark}&access_token=${mark}` },
    { door, path: `/${mark}?probe=p1&tick%65t=cst_${mark}` },
    { door, headers: { authorization: `Bearer csk_${mark}` } },
    { door, headers: { authorization: basic('alice', mark) } },
    { door, headers: { authorization: basic(`cst_${mark}`, '') } },
    { door, headers: { authorization: `Bearer ${jwt}` } },
    { door, headers: { authorization: `Basic !!!${mark}` } },
    { door, headers: { cookie: `countersign-session=css_${mark}; countersign-frame=css_${mark}` } },
    {
      door,
      headers: { cookie: `countersign-preauth=csp_${mark}`, origin: 'http://hostile.invalid' },
    },
    { door, protocols: ['countersign.v1', `countersign.bearer.cst_${mark}`] },
    { door, protocols: ['bearer', `cst_${mark}`] },
    { door, send: [`cst_${mark}`] },
    { door, send: [JSON.stringify({ type: 'auth', token: `csa_${mark}` })] },
    {
      door,
      send: [JSON.stringify({ type: 'connection_init', payload: { Authorization: `Bearer ${mark}` } })],
    },
    { door, send: [JSON.stringify({ type: 'hello', authid: mark, methods: ['wampcra'] })] },
    { door, send: [`{"type":"auth","token":"${mark}"`] },
  ],
)

const knocks: readonly Knock[] = [...plainKnocks, ...socketIoKnocks]

describe('the mark', () => {
  it.each([
    mark,
    mark.toLowerCase(),
    jwt,
    basic('alice', mark),
    basic(`cst_${mark}`, ''),
    ...['', 'a', 'ab'].map((before) => Buffer.from(`${before}${mark}`).toString('base64url')),
  ])('is found in %s', (text) => {
    expect(marksIn(text)).not.toEqual([])
  })
})

describe('the program’s output', () => {
  it('never contains a credential that was shown at a door', async () => {
    for (let at = 0; at < knocks.length; at += 8) await Promise.all(knocks.slice(at, at + 8).map(knock))
    expect(lab.output()).toContain('refused')
    expect(marksIn(lab.output())).toEqual([])
  }, 240_000)

  it('never contains a credential that was sent to the site', async () => {
    const origin = lab.url.slice(0, -1)
    const json = { 'content-type': 'application/json' }
    const bodies = [
      { username: 'alice', password: mark },
      { username: mark, password: mark },
      { audience: mark },
    ]
    const paths = [
      'login',
      'countersign/ticket',
      'countersign/connect',
      'countersign/revoke',
      'countersign/token',
    ]
    for (const path of paths) {
      for (const body of bodies) {
        await fetch(`${lab.url}${path}?ticket=${mark}`, {
          method: 'POST',
          headers: { ...json, origin },
          body: JSON.stringify(body),
        })
        await fetch(`${lab.url}${path}`, {
          method: 'POST',
          headers: { ...json, authorization: `Bearer csk_${mark}` },
          body: JSON.stringify(body),
        })
        await fetch(`${lab.url}${path}`, {
          method: 'POST',
          headers: { ...json, origin },
          body: `{"broken ${mark}`,
        })
      }
    }
    await fetch(`${lab.url}me?token=${mark}`, { headers: { cookie: `countersign-session=css_${mark}` } })
    expect(marksIn(lab.output())).toEqual([])
  })

  it('never contains a credential that it issued', async () => {
    const issued: string[] = [cookie.split('=', 2)[1] ?? '']
    for (const path of ['ticket', 'token', 'challenge-secret', 'preauth', 'connect']) {
      const answer = await postAs(lab, cookie, { path: `/countersign/${path}`, body: { audience: 'D2' } })
      for (const name of ['ticket', 'access_token', 'secret', 'csrf', 'url']) {
        const value = answer[name]
        if (typeof value === 'string') issued.push(value.replace(/^.*ticket=/, ''))
      }
    }
    for (const { api_key } of lab.doors.accounts) issued.push(api_key)
    expect(issued.length).toBeGreaterThan(7)
    for (const secret of issued) expect(lab.output()).not.toContain(secret)
  })
})
