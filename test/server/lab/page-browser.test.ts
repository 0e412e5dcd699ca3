import { createHmac, pbkdf2Sync } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocketServer, type WebSocket as ServerSocket } from 'ws'
import {
  hasRealShape,
  readChallenge,
  signChallenge,
} from '../../../packages/server/src/lab/browser/challenge.ts'
import { readEngine } from '../../../packages/server/src/lab/browser/engine.ts'
import { knock } from '../../../packages/server/src/lab/browser/knock.ts'
import { mask } from '../../../packages/server/src/lab/browser/mask.ts'
import {
  aborted,
  accepted,
  adviceFor,
  closed,
  denied,
  describeOutcome,
  dismissed,
  failed,
  joined,
  loggedOut,
  rejected,
  sameOutcome,
  unexchanged,
  unopened,
  withheld,
} from '../../../packages/server/src/lab/browser/outcome.ts'
import { planAt, withProbe, type Plan } from '../../../packages/server/src/lab/browser/plan.ts'
import { getJson, postJson, siteSilence } from '../../../packages/server/src/lab/browser/site.ts'
import { startTrace } from '../../../packages/server/src/lab/browser/trace.ts'

const folder = new URL('../../../packages/server/src/lab/browser/', import.meta.url)
const servers: WebSocketServer[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    for (const socket of server.clients) socket.terminate()
    server.close()
  }
})

/** A server whose sockets are handed to `meet`, and the plan of a client that says `first`. */
async function planFor(meet: (socket: ServerSocket) => void, first: readonly string[] = []): Promise<Plan> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  servers.push(server)
  server.on('connection', meet)
  await new Promise((resolve) => server.once('listening', resolve))
  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo
  return { url: `ws://127.0.0.1:${port}/`, protocols: [], first, prover: undefined, warmUp: undefined }
}

function greetAndEcho(socket: ServerSocket): void {
  socket.send('Hello alice!')
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
}

const patient = { patienceMs: 5_000, behind: [] }

describe('a knock', () => {
  it('is accepted once it was greeted and heard its echo', async () => {
    const visit = await knock(await planFor(greetAndEcho), patient)
    expect(visit.measured).toEqual(accepted)
    expect(visit.greeted).toBe('alice')
    visit.close()
    expect(await visit.closed).toEqual({ kind: 'closed', code: 1000, reason: '' })
  })

  it('sends what stands behind the credential and waits until all of it came back in order', async () => {
    const plan = await planFor(
      (socket) => {
        socket.once('message', () => greetAndEcho(socket))
      },
      ['token'],
    )
    const visit = await knock(plan, { patienceMs: 5_000, behind: ['one', 'two'] })
    expect(visit.measured).toEqual(accepted)
    expect(visit.frames.slice(0, 3)).toEqual(['Hello alice!', 'one', 'two'])
    visit.close()
  })

  it('keeps a warning that comes before the greeting, and no other frame of the guard', async () => {
    const plan = await planFor((socket) => {
      for (const type of ['auth_ok', 'auth_expiring']) socket.send(JSON.stringify({ type, in: 1 }))
      greetAndEcho(socket)
    })
    const visit = await knock(plan, patient)
    expect(visit.measured).toEqual(accepted)
    expect(await visit.line?.hear(['auth_ok', 'auth_expiring'], 1_000)).toEqual({
      type: 'auth_expiring',
      in: 1,
    })
    expect(await visit.line?.hear(['auth_ok', 'auth_expiring'], 10)).toBeUndefined()
    visit.close()
  })

  it('tells code and reason when it is closed', async () => {
    const visit = await knock(await planFor((socket) => socket.close(3000, 'invalid_credential')), patient)
    expect(visit.measured).toEqual(closed('invalid_credential'))
  })

  it('fails when the handshake is refused', async () => {
    const plan = await planFor(() => undefined)
    servers[0]?.close()
    await new Promise((resolve) => servers[0]?.once('close', resolve))
    const visit = await knock(plan, patient)
    expect(visit.measured).toEqual(failed)
  })

  it('is unsettled when the server stays silent', async () => {
    const visit = await knock(await planFor(() => undefined), { patienceMs: 40, behind: [] })
    expect(visit.measured).toMatchObject({ kind: 'unsettled' })
  })

  it('is unsettled when the browser refuses the URL', async () => {
    const plan = {
      ...(await planFor(() => undefined)),
      url: 'ws://localhost:1/#fragment',
      protocols: ['a b'],
    }
    expect((await knock(plan, patient)).measured).toEqual({ kind: 'unsettled', why: 'SyntaxError' })
  })

  it('answers a challenge with its secret and keeps the answer', async () => {
    const challenge = { type: 'challenge', method: 'wampcra', extra: { challenge: 'now' } }
    const plan = await planFor(
      (socket) => {
        socket.once('message', () => {
          socket.send(JSON.stringify(challenge))
          socket.once('message', () => greetAndEcho(socket))
        })
      },
      ['hello'],
    )
    const visit = await knock({ ...plan, prover: { kind: 'secret', secret: 's3cret' } }, patient)
    expect(visit.signature).toBe(createHmac('sha256', 's3cret').update('now').digest('base64'))
    expect(visit.realShape).toBe(false)
    visit.close()
  })
})

describe('an answer to a challenge', () => {
  it('is the HMAC of the challenge, keyed by the secret', async () => {
    const expected = createHmac('sha256', 'secret').update('{"nonce":1}').digest('base64')
    expect(await signChallenge('secret', { challenge: '{"nonce":1}' })).toBe(expected)
  })

  it('is keyed by base64 of PBKDF2 when the secret is salted', async () => {
    const key = pbkdf2Sync('secret', 'salt', 1_000, 32, 'sha256').toString('base64')
    const expected = createHmac('sha256', key).update('text').digest('base64')
    const salting = { salt: 'salt', iterations: 1_000, keylen: 32 }
    expect(await signChallenge('secret', { challenge: 'text', ...salting })).toBe(expected)
  })

  it('is asked for by challenge frames only', () => {
    expect(readChallenge({ type: 'challenge', extra: { challenge: 'x', keylen: 'y' } })).toEqual({
      challenge: 'x',
    })
    expect(readChallenge({ type: 'auth_ok' })).toBeUndefined()
    expect(readChallenge({ type: 'challenge', extra: {} })).toBeUndefined()
  })

  it('knows the shape of a real challenge: all members, and all of the salting or none', () => {
    const members = ['authid', 'authrole', 'authmethod', 'authprovider', 'nonce', 'timestamp', 'session']
    const challenge = JSON.stringify(Object.fromEntries(members.map((name) => [name, 1])))
    expect(hasRealShape({ challenge })).toBe(true)
    expect(hasRealShape({ challenge, salt: 's', iterations: 1, keylen: 32 })).toBe(true)
    expect(hasRealShape({ challenge, salt: 's' })).toBe(false)
    expect(hasRealShape({ challenge: '{}' })).toBe(false)
    expect(hasRealShape({ challenge: 'no JSON' })).toBe(false)
  })
})

describe('a plan', () => {
  const url = 'ws://localhost:8002/'
  const plan = (at: Parameters<typeof planAt>[0]): Plan =>
    planAt(at, { url, credential: { kind: 'text', text: 'cst_a-b' }, oldSignature: 'old' })
  const pair = { kind: 'pair', username: 'alice', secret: 'p@ss' } as const

  it.each([
    ['query', { url: `${url}?ticket=cst_a-b` }],
    ['csrf', { url: `${url}?csrf=cst_a-b` }],
    ['user-name', { url: 'ws://cst_a-b:@localhost:8002/' }],
    ['token-password', { url: 'ws://token:cst_a-b@localhost:8002/' }],
    ['first-text', { url, first: ['cst_a-b'] }],
    ['first-json', { url, first: ['{"type":"auth","token":"cst_a-b"}'] }],
    ['subprotocol', { url, protocols: ['countersign.v1', 'countersign.bearer.cst_a-b'] }],
    ['certificate', { url, warmUp: 'http://localhost:8002/' }],
    ['nothing', { url, protocols: [], first: [], prover: undefined, warmUp: undefined }],
  ] as const)('puts the credential where it belongs: %s', (at, expected) => {
    expect(plan(at)).toMatchObject(expected)
  })

  it('escapes user information', () => {
    const { url: target } = planAt('user-password', { url, credential: pair, oldSignature: '' })
    expect(target).toBe('ws://alice:p%40ss@localhost:8002/')
  })

  it('names the user in a hello and never the secret', () => {
    const { first, prover } = planAt('challenge', { url, credential: pair, oldSignature: '' })
    expect(first).toEqual(['{"type":"hello","authid":"alice","methods":["wampcra"]}'])
    expect(prover).toEqual({ kind: 'secret', secret: 'p@ss' })
  })

  it('repeats an old signature', () => {
    const { prover } = planAt('old-signature', { url, credential: pair, oldSignature: 'old' })
    expect(prover).toEqual({ kind: 'old-signature', signature: 'old' })
  })

  it('opens a URL as it was given, and offers the public subprotocol alone when there is no token', () => {
    const given = { kind: 'url', url: 'ws://other/?ticket=x' } as const
    expect(planAt('url', { url, credential: given, oldSignature: '' }).url).toBe(given.url)
    expect(planAt('subprotocol', { url, credential: undefined, oldSignature: '' }).protocols).toEqual([
      'countersign.v1',
    ])
  })

  it('carries the probe behind whatever is in the query', () => {
    expect(withProbe(url, 'p1')).toBe(`${url}?probe=p1`)
    expect(withProbe(`${url}?ticket=x`, 'p1')).toBe(`${url}?ticket=x&probe=p1`)
  })
})

describe('an outcome', () => {
  it('is the same for equal codes and reasons only', () => {
    expect(sameOutcome(closed('invalid_credential'), closed('invalid_credential'))).toBe(true)
    expect(sameOutcome(closed('invalid_credential'), closed('expired_credential'))).toBe(false)
    expect(sameOutcome(failed, { kind: 'failed', code: 1015 })).toBe(false)
    expect(sameOutcome({ kind: 'unsettled', why: 'x' }, { kind: 'unsettled', why: 'x' })).toBe(false)
  })

  it.each([
    [accepted, 'opens and greets'],
    [closed('logged_out'), 'closed 3003 logged_out'],
    [closed('authentication_timeout'), 'closed 3008 authentication_timeout'],
    [{ kind: 'closed', code: 1001, reason: '' } as const, 'closed 1001'],
    [failed, 'fails with 1006'],
    [unexchanged, 'frame says no'],
    [joined('frontend'), 'joins as frontend'],
    [aborted, 'ABORT authentication_denied'],
    [denied, 'joins, then ERROR not_authorized'],
    [loggedOut, 'GOODBYE logout'],
    [rejected('missing_credential'), 'connect_error missing_credential'],
    [rejected('forbidden'), 'connect_error forbidden'],
    [unopened('polling'), 'polling fails'],
    [unopened('websocket'), 'WebSocket fails'],
    [withheld, 'opens, then error forbidden'],
    [dismissed('revoked'), 'auth_end revoked'],
    [{ kind: 'unsettled', why: 'no answer for 13 s' } as const, 'no answer for 13 s'],
  ])('is told in few words, and what to do about it', (outcome, words) => {
    expect(describeOutcome(outcome)).toBe(words)
    expect(adviceFor(outcome)).toMatch(/\.$/)
  })
})

describe('what is shown of an exchange', () => {
  it.each([
    ['{"ticket":"cst_abc-DEF"}', '{"ticket":"cst_••••"}'],
    ['{"access_token":"eyJhbGciOi.eyJzdWIi.c2ln"}', '{"access_token":"eyJ••••"}'],
    ['{"username":"alice","password":"x y"}', '{"username":"alice","password":"••••"}'],
    ['{"authid":"a","secret":"s"}', '{"authid":"a","secret":"••••"}'],
    ['40{"ticket":"cst_abc-DEF","expiring":true}', '40{"ticket":"cst_••••","expiring":true}'],
    ['40{"sid":"UkZ_-x","pid":"p1-x"}', '40{"sid":"••••","pid":"••••"}'],
    [
      'GET /socket.io/?EIO=4&transport=polling&sid=UkZ_-x HTTP/1.1',
      'GET /socket.io/?EIO=4&transport=polling&sid=•••• HTTP/1.1',
    ],
    ['Cookie: countersign-form=f0rm; a=b', 'Cookie: countersign-form=••••; a=••••'],
  ])('hides the secret of %s', (line, shown) => {
    expect(mask(line)).toBe(shown)
  })

  it('keeps the order of site, frame and sockets', () => {
    const trace = startTrace()
    trace.witness({ from: 'browser', text: 'POST /countersign/ticket' })
    trace.witness({ from: 'site', text: '200 OK' })
    const probe = trace.probe()
    trace.frame({ from: 'site', text: 'countersign-frame-done' })
    trace.adopt('other')
    expect(trace.parts.map(({ kind }) => kind)).toEqual(['site', 'socket', 'frame', 'socket'])
    expect(trace.parts[1]).toEqual({ kind: 'socket', probe })
    expect(probe).toMatch(/^[\w-]{22}$/)
  })
})

describe('the engine', () => {
  it.each([
    ['Mozilla/5.0 (X11) Gecko/20100101 Firefox/153.0', 'firefox', 'Firefox 153.0'],
    [
      'Mozilla/5.0 AppleWebKit/537.36 HeadlessChrome/156.0.0.0 Safari/537.36',
      'chromium',
      'Chromium 156.0.0.0',
    ],
    ['Mozilla/5.0 AppleWebKit/605.1.15 Version/18.4 Safari/605.1.15', 'webkit', 'WebKit 605.1.15'],
    ['Lynx', 'webkit', 'an unknown engine'],
  ])('is read from %s', (userAgent, engine, words) => {
    expect(readEngine(userAgent)).toEqual({ engine, words })
  })
})

describe('a question to the site', () => {
  it('that nobody answers fails in words of the lab', async () => {
    const plan = await planFor(greetAndEcho)
    await new Promise((resolve) => servers.pop()?.close(resolve))
    const url = plan.url.replace('ws', 'http')
    await expect(getJson(url)).rejects.toThrow(siteSilence)
    await expect(postJson(url, {})).rejects.toThrow(siteSilence)
  })
})

describe('the scripts of the page', () => {
  const sources = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))

  it('are at most 60 kB together, gzipped', () => {
    expect(gzipSync(sources.join('\n')).length).toBeLessThan(60_000)
  })

  it('are at most that with Socket.IO’s client beside them, which the cases of D14 alone load', () => {
    const manifest = createRequire(import.meta.url).resolve('socket.io-client/package.json')
    const client = readFileSync(join(dirname(manifest), 'dist', 'socket.io.esm.min.js'))
    const clientBytes = gzipSync(client).length
    expect(clientBytes).toBeGreaterThan(10_000)
    const served = sources.map((source) => stripTypeScriptTypes(source))
    expect(gzipSync(served.join('\n')).length + clientBytes).toBeLessThan(60_000)
    const importers = readdirSync(folder).filter((_name, at) => sources[at]?.includes('socket.io.esm.min.js'))
    expect(importers).toEqual(['load-socket-io.ts'])
    expect(sources.filter((text) => /^import (?!type ).*'socket\.io-client'/m.test(text))).toEqual([])
  })
})
