import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventPolicy, framePolicy } from '../../examples/chat/messages.ts'
import { perPerson } from '../../examples/chat/speech.ts'
import {
  chatForTest,
  logIn,
  modes,
  page,
  post,
  rawEvents,
  rawFrames,
  startChat,
  until,
  type Bare,
  type Mode,
  type Program,
} from './support/chat-program.ts'

/** The three ways in which one thing may be said: the page's client, a raw frame of Socket.IO, a JSON frame. */
const ways = ['page', 'raw event', 'JSON frame'] as const
type Way = (typeof ways)[number]

const frameTypes: Readonly<Record<string, string>> = {
  'outgoing message': 'message',
  'remove message': 'remove',
  mute: 'mute',
}

/** Somebody who says things one way. */
interface Speaker {
  /** Says what has this JSON as its body, and waits for the answer: `undefined` for a yes, the error for a no. */
  say(event: string, body: string): Promise<Answer>
}

type Answer = Readonly<Record<string, unknown>> | undefined

async function speak(program: Program, way: Way, cookie: string): Promise<Speaker> {
  if (way === 'page') {
    const { ask } = await page(program, 'websocket', { cookie })
    return { say: async (event, body) => noOf(await ask(event, JSON.parse(body))) }
  }
  const open = way === 'raw event' ? rawEvents : rawFrames
  const bare = await open(program, { cookie })
  await until(() => bare.frames.some((frame) => frame.includes('welcome')))
  return {
    async say(event, body) {
      const from = bare.frames.length
      if (way === 'raw event') {
        bare.say(`42[${JSON.stringify(event)},${body}]`)
        return rawAnswer(bare, from)
      }
      bare.say(frameText(event, body))
      let answer: Answer
      await until(() => {
        answer = bare.frames
          .slice(from)
          .map(frameOf)
          .find((found) => found !== undefined)
        return answer !== undefined
      })
      return noOf(answer)
    },
  }
}

/** The body's members beside the type; where it is no object there is nothing to stand beside. */
function frameText(event: string, body: string): string {
  const type = JSON.stringify(frameTypes[event] ?? event)
  return /^\{.+\}$/s.test(body) ? `{"type":${type},${body.slice(1)}` : `{"type":${type},"body":${body}}`
}

/** A raw event hears of a yes by its effect only. */
async function rawAnswer(bare: Bare, from: number): Promise<Answer> {
  const news = (): string | undefined =>
    bare.frames
      .slice(from)
      .find((frame) => /^42\["(?:auth_error|incoming message|message removed|muted)"/.test(frame))
  await until(() => news() !== undefined)
  const [name, error] = JSON.parse(news()?.slice(2) ?? '') as [string, Record<string, unknown>]
  return name === 'auth_error' ? error : undefined
}

function frameOf(frame: string): Answer {
  const parsed = JSON.parse(frame)
  return parsed.type === 'accepted' || parsed.type === 'error' ? parsed : undefined
}

/** `{ ok: true }` of events and `accepted` of frames are a yes; everything else says what is wrong. */
function noOf(answer: unknown): Answer {
  const { ok, type, error, ...rest } = answer as Record<string, unknown>
  if (ok === true || type === 'accepted') return undefined
  return typeof error === 'object' && error !== null ? { ...error } : rest
}

/** What a listener was told under a name. */
function told(listener: Bare, name: string): readonly Record<string, unknown>[] {
  return listener.frames.flatMap((frame) => {
    if (!frame.startsWith('{')) return []
    const { type, ...body } = JSON.parse(frame)
    return type === name ? [body] : []
  })
}

async function listen(program: Program, cookie: string): Promise<Bare> {
  const listener = await rawFrames(program, { cookie })
  await until(() => listener.frames.length > 0)
  return listener
}

const double = fc.oneof(fc.double(), fc.double({ min: -181, max: 181, noNaN: true }), fc.integer())
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ minLength: 490 }),
)
const nearly = fc.record({ message: text, lat: double, lon: double })
const odd = fc
  .tuple(nearly, fc.dictionary(fc.string(), fc.jsonValue()))
  .map(([one, more]) => ({ ...more, ...one }))

const good = '{"message":"Low tide, and the herons are out.","lat":53.5511,"lon":9.9937}'

describe('the chat', () => {
  let program: Program
  beforeAll(async () => {
    program = await startChat()
  })
  afterAll(async () => void (await program.stop()))

  it.each<readonly [Mode, string]>([
    ['polling', 'mara'],
    ['websocket', 'teo'],
    ['upgrade', 'ines'],
  ])(
    'relays over %s what somebody says, under the name of their login, the position rounded',
    async (mode, who) => {
      const listener = await listen(program, await logIn(program, 'otto'))
      const { heard, ask } = await page(program, mode, { cookie: await logIn(program, who) })
      expect(heard[0]).toEqual(['welcome', expect.objectContaining({ nickname: who, roles: ['member'] })])
      const answer = await ask('outgoing message', {
        message: '  On the pier.  ',
        lat: 53.551_12,
        lon: -0.000_1,
      })
      expect(answer).toEqual({ ok: true, number: expect.any(Number) })
      await until(() => told(listener, 'incoming message').length > 0)
      expect(told(listener, 'incoming message')).toEqual([
        {
          number: expect.any(Number),
          nickname: who,
          message: 'On the pier.',
          lat: 53.551,
          lon: 0,
          at: expect.any(Number),
        },
      ])
    },
  )

  it.each(ways)('accepts a %s exactly as the others', async (way) => {
    const [mara, otto] = [await logIn(program, 'mara'), await logIn(program, 'otto')]
    const listener = await listen(program, otto)
    const speaker = await speak(program, way, mara)
    expect(await speaker.say('outgoing message', good)).toBeUndefined()
    await until(() => told(listener, 'incoming message').length > 0)
    expect(told(listener, 'incoming message')).toEqual([
      expect.objectContaining({
        nickname: 'mara',
        message: 'Low tide, and the herons are out.',
        lat: 53.551,
        lon: 9.994,
      }),
    ])
  })

  const bad: readonly (readonly [what: string, body: string, reason: string, ofFrame?: string])[] = [
    ['a claim to be privileged', good.replace('}', ',"priv":true}'), 'invalid_message'],
    ['a nickname of the sender’s choice', good.replace('}', ',"nickname":"otto"}'), 'invalid_message'],
    ['a role of the sender’s choice', good.replace('}', ',"roles":["moderator"]}'), 'invalid_message'],
    ['a prototype', good.replace('}', ',"__proto__":{"priv":true}}'), 'protocol_violation'],
    ['a constructor', good.replace('}', ',"constructor":{"prototype":{}}}'), 'invalid_message'],
    ['no text', '{"lat":1,"lon":1}', 'invalid_message'],
    ['an empty text', '{"message":"   ","lat":1,"lon":1}', 'invalid_message'],
    ['501 characters', JSON.stringify({ message: 'ü'.repeat(501), lat: 1, lon: 1 }), 'invalid_message'],
    ['a control character', '{"message":"a\\u0007b","lat":1,"lon":1}', 'invalid_message'],
    ['a line feed', '{"message":"a\\nb","lat":1,"lon":1}', 'invalid_message'],
    ['a mark that turns the text around', '{"message":"a\\u202eb","lat":1,"lon":1}', 'invalid_message'],
    ['half a character', '{"message":"a\\ud83d","lat":1,"lon":1}', 'invalid_message', 'protocol_violation'],
    ['a list for a text', '{"message":["a"],"lat":1,"lon":1}', 'invalid_message'],
    ['a latitude beyond the pole', '{"message":"a","lat":90.001,"lon":1}', 'invalid_message'],
    ['a longitude beyond the date line', '{"message":"a","lat":1,"lon":-180.5}', 'invalid_message'],
    ['an endless number', '{"message":"a","lat":1e999,"lon":1}', 'invalid_message', 'protocol_violation'],
    ['a number in quotes', '{"message":"a","lat":"1","lon":1}', 'invalid_message'],
    ['no position', '{"message":"a"}', 'invalid_message'],
    ['a list', '[]', 'invalid_message'],
    ['nothing', 'null', 'invalid_message'],
    [
      'too many levels',
      `{"message":${'['.repeat(9)}1${']'.repeat(9)},"lat":1,"lon":1}`,
      'protocol_violation',
    ],
    [
      'nine thousand bytes',
      JSON.stringify({ message: 'a'.repeat(9_000), lat: 1, lon: 1 }),
      'message_too_big',
    ],
  ]

  it.each(ways)('refuses a %s exactly as the others, for whatever is wrong with it', async (way) => {
    const [mara, otto] = [await logIn(program, 'mara'), await logIn(program, 'otto')]
    const listener = await listen(program, otto)
    const speaker = await speak(program, way, mara)
    for (const [what, body, reason, ofFrame = reason] of bad) {
      expect((await speaker.say('outgoing message', body))?.['reason'], what).toBe(
        way === 'JSON frame' ? ofFrame : reason,
      )
    }
    await wait(50)
    expect(told(listener, 'incoming message')).toEqual([])
  })

  it('takes no name and no role from what a client says while it connects', async () => {
    const cookie = await logIn(program, 'mara')
    const one = await rawEvents(program, { cookie, query: 'nickname=otto&roles=moderator' })
    one.socket.terminate()
    const other = await rawFrames(program, { cookie, query: 'nickname=otto&priv=true' })
    await until(() => other.frames.length > 0)
    for (const { frames } of [one, other]) {
      const welcome = frames.find((frame) => frame.includes('welcome'))
      expect(welcome).toContain('"nickname":"mara"')
      expect(welcome).toContain('"roles":["member"]')
    }
  })

  it.each(ways)(
    'lets a member remove and mute nobody by a %s, and does not say whether there is such a thing',
    async (way) => {
      const listener = await listen(program, await logIn(program, 'otto'))
      const speaker = await speak(program, way, await logIn(program, 'teo'))
      const priv = ',"priv":true}'
      for (const [event, body] of [
        ['remove message', '{"number":1}'],
        ['remove message', `{"number":1${priv}`],
        ['mute', '{"nickname":"mara","minutes":5}'],
        ['mute', `{"nickname":"mara","minutes":5${priv}`],
        ['unheard of', '{}'],
      ] as const) {
        const error = await speaker.say(event, body)
        expect(error, event).toMatchObject({ reason: 'forbidden' })
        expect(error).not.toHaveProperty('issues')
      }
      await wait(50)
      expect([...told(listener, 'message removed'), ...told(listener, 'muted')]).toEqual([])
    },
  )

  it('relays of arbitrary payloads what is a message, and nothing else, whichever way they come', async () => {
    const listener = await listen(program, await logIn(program, 'otto'))
    const cookie = await logIn(program, 'ines')
    const payloads = [
      JSON.parse(good),
      ...fc.sample(fc.oneof(nearly, odd, fc.jsonValue({ maxDepth: 2 })), 20),
    ]
    for (const payload of payloads) {
      const raw = await rawEvents(program, { cookie })
      const plain = await rawFrames(program, { cookie })
      raw.say(`42["outgoing message",${JSON.stringify(payload)}]`)
      plain.say(JSON.stringify({ ...Object(payload), type: 'message' }))
      await until(() => raw.frames.length > 2 && plain.frames.length > 1)
      raw.socket.terminate()
      plain.socket.terminate()
    }
    expect(told(listener, 'incoming message').length).toBeGreaterThan(0)
    for (const line of told(listener, 'incoming message')) expect(line).toSatisfy(isLine)
  })

  it.each<readonly [string, (cookie: string) => object]>([
    ['a foreign Origin', (cookie) => ({ cookie, origin: 'https://pages.example' })],
    ['no Origin', (cookie) => ({ cookie, origin: undefined })],
    ['an Origin of another port', (cookie) => ({ cookie, origin: 'http://127.0.0.1:1' })],
    ['the Origin null', (cookie) => ({ cookie, origin: 'null' })],
    ['a foreign Host', (cookie) => ({ cookie, host: 'pages.example' })],
    ['no cookie', () => ({})],
    ['a made-up cookie', () => ({ cookie: `chat-session=css_${'x'.repeat(43)}` })],
  ])('opens no socket for %s', async (_what, opening) => {
    const offered = opening(await logIn(program, 'mara'))
    const [events, frames] = [await rawEvents(program, offered), await rawFrames(program, offered)]
    await until(() => [events, frames].every((each) => each.status() !== 0 || each.frames.length > 0))
    for (const each of [events, frames]) {
      expect(each.frames.some((frame) => frame.includes('welcome'))).toBe(false)
      const closed = each.frames.some((frame) => /^(?:44|closed 3000)/.test(frame))
      expect(closed || [401, 403, 421].includes(each.status())).toBe(true)
    }
  })

  it('answers for no other path', async () => {
    const cookie = await logIn(program, 'mara')
    for (const path of ['', 'chat/', 'ws', 'socket.io', '%63hat'])
      expect((await rawFrames(program, { cookie, path })).status(), path).not.toBe(0)
  })

  it('lets one person open eight sockets, and log out nevertheless', async () => {
    const cookie = await logIn(program, 'teo')
    const all: Bare[] = []
    for (let opened = 0; opened < 9; opened++) all.push(await rawFrames(program, { cookie }))
    await until(() => all.every(({ frames }) => frames.length > 0))
    expect(all.filter(({ frames }) => frames[0]?.includes('welcome') === true).length).toBe(8)
    expect((await post(program, 'logout', { headers: { cookie } })).headers.get('location')).toBe('/login')
    await until(() => all.every(({ frames }) => frames.at(-1)?.startsWith('closed') === true))
  })

  it('stays up and goes on after bytes that are no frames', async () => {
    const cookie = await logIn(program, 'mara')
    for (const path of ['chat', 'socket.io/?EIO=4&transport=websocket']) {
      const { hostname, port } = new URL(program.url)
      const raw = connect(Number(port), hostname)
      const lines = [
        `GET /${path} HTTP/1.1`,
        `Host: ${hostname}:${port}`,
        `Origin: ${program.origin}`,
        `Cookie: ${cookie}`,
      ]
      const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
      raw.write([...lines, ...upgrade, 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', '', ''].join('\r\n'))
      raw.on('error', () => undefined)
      await wait(100)
      raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]))
      await new Promise((resolve) => raw.once('close', resolve).resume())
    }
    expect((await fetch(`${program.url}login`)).status).toBe(200)
  })

  it('writes no cookie and no ticket anywhere', () => {
    expect(program.written()).toMatch(/^ready http:\/\/127\.0\.0\.1:\d+\/\n$/)
  })
})

describe('a person', () => {
  it('has one allowance on all their sockets together, and nobody else’s', async () => {
    const program = await chatForTest()
    const cookie = await logIn(program, 'mara')
    const speakers = await Promise.all(ways.map((way) => speak(program, way, cookie)))
    const neighbour = await speak(program, 'page', await logIn(program, 'teo'))
    const answers: unknown[] = []
    for (let sent = 0; sent < 9; sent++) {
      const speaker = speakers[sent % 3]
      answers.push((await speaker?.say('outgoing message', good))?.['reason'])
    }
    const passed = answers.filter((reason) => reason === undefined).length
    expect(passed).toBe(perPerson.points)
    expect(answers.slice(passed)).toEqual(Array.from({ length: 9 - passed }, () => 'too_many_attempts'))
    const late = await speakers[0]?.say('outgoing message', good)
    expect(late?.['retry_in']).toBeGreaterThan(0)
    expect(late?.['retry_in']).toBeLessThanOrEqual(perPerson.duration)
    expect(await neighbour.say('outgoing message', good)).toBeUndefined()
  })

  it('loses the connection by far too many messages, valid or not', async () => {
    const program = await chatForTest()
    const cookie = await logIn(program, 'mara')
    const bare = await rawFrames(program, { cookie })
    for (let sent = 0; sent < 80; sent++) bare.say('{"type":"message"}')
    await until(() => bare.frames.at(-1)?.startsWith('closed') === true)
    expect(bare.frames.at(-1)).toBe('closed 4429 too_many_attempts')
  })
})

describe('a moderator', () => {
  it.each(ways)('removes a message and silences a member by a %s', async (way) => {
    const program = await chatForTest()
    const member = await speak(program, 'page', await logIn(program, 'mara'))
    const moderator = await speak(program, way, await logIn(program, 'otto'))
    const listener = await listen(program, await logIn(program, 'ines'))
    expect(await member.say('outgoing message', good)).toBeUndefined()
    await until(() => told(listener, 'incoming message').length > 0)
    expect(await moderator.say('remove message', '{"number":1}')).toBeUndefined()
    expect(await moderator.say('mute', '{"nickname":"mara","minutes":2}')).toBeUndefined()
    await until(() => told(listener, 'muted').length > 0)
    expect(told(listener, 'message removed')).toEqual([{ number: 1 }])
    for (const again of ways) {
      const speaker = await speak(program, again, await logIn(program, 'mara'))
      expect(await speaker.say('outgoing message', good)).toMatchObject({ reason: 'muted' })
    }
    const later = await listen(program, await logIn(program, 'teo'))
    expect(told(later, 'welcome')[0]?.['history']).toEqual([])
  })

  it('is told what is not there, and refused what makes no sense', async () => {
    const program = await chatForTest()
    const moderator = await speak(program, 'page', await logIn(program, 'otto'))
    expect(await moderator.say('remove message', '{"number":9}')).toMatchObject({ reason: 'not_found' })
    expect(await moderator.say('mute', '{"nickname":"nobody","minutes":1}')).toMatchObject({
      reason: 'not_found',
    })
    for (const [event, body] of [
      ['remove message', '{"number":1.5}'],
      ['remove message', '{"number":1,"priv":true}'],
      ['mute', '{"nickname":"mara","minutes":100000}'],
      ['mute', '{"nickname":"mara"}'],
    ] as const)
      expect(await moderator.say(event, body), body).toMatchObject({ reason: 'invalid_message' })
  })
})

/** What a line must be, whatever was sent. */
function isLine(line: unknown): boolean {
  const { number, nickname, message, lat, lon, at, ...rest } = line as Record<string, unknown>
  return (
    Number.isInteger(number) &&
    ['mara', 'teo', 'ines', 'otto'].includes(String(nickname)) &&
    isSaid({ message, lat, lon }) &&
    Number.isInteger(at) &&
    Object.keys(rest).length === 0
  )
}

function isSaid(value: unknown): boolean {
  const { message, lat, lon, ...rest } = value as Record<string, unknown>
  const within = (degrees: unknown, most: number): boolean =>
    typeof degrees === 'number' &&
    Math.abs(degrees) <= most &&
    Math.round(degrees * 1_000) / 1_000 === degrees
  return (
    typeof message === 'string' &&
    message.isWellFormed() &&
    message === message.trim() &&
    message !== '' &&
    Array.from(message).length <= 500 &&
    !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(message) &&
    within(lat, 90) &&
    within(lon, 180) &&
    Object.keys(rest).length === 0
  )
}

describe('the schemas', () => {
  const anything = fc.oneof(nearly, odd, fc.anything())

  it('make of any value a message that is one, or refuse it', () => {
    let passed = 0
    fc.assert(
      fc.property(anything, (payload) => {
        const event = validated(eventPolicy, 'outgoing message', {
          type: 'outgoing message',
          args: [payload],
        })
        if (event === undefined) return
        passed++
        const [said, ...more] = (event as { readonly args: readonly unknown[] }).args
        expect(more).toEqual([])
        expect(said).toSatisfy(isSaid)
      }),
      { numRuns: 3_000 },
    )
    expect(passed).toBeGreaterThan(50)
  })

  it('judge an event and a frame alike', () => {
    fc.assert(
      fc.property(odd, (given) => {
        const {
          type: _type,
          id: _id,
          ...payload
        } = given as typeof given & { readonly type?: unknown; readonly id?: unknown }
        const event = validated(eventPolicy, 'outgoing message', {
          type: 'outgoing message',
          args: [payload],
        })
        const frame = validated(framePolicy, 'message', { type: 'message', ...payload })
        expect(event === undefined).toBe(frame === undefined)
      }),
      { numRuns: 1_000 },
    )
  })

  /** What a row's schema makes of a message; `undefined`: it refuses it. */
  function validated(
    { actions }: { readonly actions: typeof eventPolicy.actions },
    row: string,
    message: object,
  ): unknown {
    const result = actions[row]?.schema?.['~standard'].validate(message)
    if (result === undefined || result instanceof Promise || !('value' in result)) return undefined
    return result.value
  }
})

it('knows no way of being carried that is not tested', () => {
  expect(Object.keys(modes)).toEqual(['polling', 'websocket', 'upgrade'])
})
