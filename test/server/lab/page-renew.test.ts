import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Credential } from '../../../packages/server/src/lab/browser/credential.ts'
import { Inbox, type Line } from '../../../packages/server/src/lab/browser/inbox.ts'
import { knock, type Knock } from '../../../packages/server/src/lab/browser/knock.ts'
import { closed } from '../../../packages/server/src/lab/browser/outcome.ts'
import { planAt } from '../../../packages/server/src/lab/browser/plan.ts'
import { renewInBand } from '../../../packages/server/src/lab/browser/renew.ts'
import { startLab, type Lab } from '../../../packages/server/src/lab/lab.ts'
import { createLog } from '../../../packages/server/src/server/log.ts'
import { freeBlock } from '../../../tools/ports.ts'

let lab: Lab
beforeAll(async () => {
  lab = await startLab({ port: await freeBlock(41, 30_000), log: createLog({ level: 'silent' }) })
})
afterAll(() => lab.close())

type Headers = Record<string, string>
type Members = Readonly<Record<string, string>>
type At = 'first-json' | 'challenge'

async function logIn(): Promise<Headers> {
  const body = JSON.stringify({ username: 'alice', password: 'alice-in-the-lab' })
  const headers = { 'content-type': 'application/json', origin: lab.url.slice(0, -1) }
  const answer = await fetch(new URL('/login', lab.url), { method: 'POST', headers, body })
  return { ...headers, cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '' }
}

async function post(path: string, body: object, headers: Headers): Promise<Response> {
  return fetch(new URL(path, lab.url), { method: 'POST', headers, body: JSON.stringify(body) })
}

const doors = [
  ['D1', 'first-json'],
  ['D8', 'first-json'],
  ['D12', 'challenge'],
  ['D13', 'challenge'],
] as const

function credentialOf({ authid, ...texts }: Members): Credential {
  const text = texts['secret'] ?? texts['credential'] ?? texts['ticket'] ?? texts['alias'] ?? ''
  return authid === undefined ? { kind: 'text', text } : { kind: 'pair', username: authid, secret: text }
}

interface Opened {
  readonly socket: Knock
  readonly line: Line
  /** A fresh credential of the same guest. */
  readonly fresh: () => Promise<Credential>
}

/** Opens a door as a guest whose lease is short. */
async function open(door: string, at: At): Promise<Opened> {
  const headers = await logIn()
  const invited = await post('/lab/guests', { door, life_ms: 2_000 }, headers)
  // The shape is checked by what is done with it.
  const { guest, credential } = (await invited.json()) as { guest: string; credential: Members }
  const url = lab.listeners.find(({ name }) => name.startsWith(`${door} `))?.url ?? ''
  const plan = planAt(at, { url, credential: credentialOf(credential), oldSignature: '' })
  const socket = await knock(plan, { patienceMs: 5_000, behind: [] })
  if (socket.line === undefined) throw new Error('no socket')
  const fresh = async (): Promise<Credential> => {
    const answer = await post(`/lab/guests/${guest}/credential`, { life_ms: 20_000 }, headers)
    return credentialOf((await answer.json()) as Members)
  }
  return { socket, line: socket.line, fresh }
}

describe.concurrent('a page that renews on its open socket', () => {
  it.each(doors)('is warned at %s, and outlives the end by a fresh credential', async (door, at) => {
    const { socket, line, fresh } = await open(door, at)
    expect(await renewInBand(line, { at, credential: await fresh(), patienceMs: 5_000 })).toBeUndefined()
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect(await socket.answers()).toBe(true)
    socket.close()
  })

  it.each(doors)('hears at %s that a made-up credential is none, and ends in time', async (door, at) => {
    const { socket, line, fresh } = await open(door, at)
    const good = await fresh()
    const credential: Credential =
      good.kind === 'pair' ? { ...good, secret: 'made up' } : { kind: 'text', text: 'cst_made-up' }
    expect(await renewInBand(line, { at, credential, patienceMs: 5_000 })).toBe('invalid_credential')
    expect(await socket.closed).toEqual(closed('lease_expired'))
  })
})

describe('the frames of an open socket', () => {
  it('are taken by their type, once, and in their order', async () => {
    const inbox = new Inbox()
    inbox.put({ type: 'auth_ok', expires_in: 1 })
    inbox.put({ type: 'auth_expiring' })
    inbox.put({ type: 'auth_ok', expires_in: 2 })
    expect(await inbox.take(['auth_expiring'], 100)).toEqual({ type: 'auth_expiring' })
    expect(await inbox.take(['auth_ok'], 100)).toEqual({ type: 'auth_ok', expires_in: 1 })
    expect(await inbox.take(['auth_ok'], 100)).toEqual({ type: 'auth_ok', expires_in: 2 })
    expect(await inbox.take(['auth_ok'], 1)).toBeUndefined()
  })

  it('are awaited, and left to others by whoever has waited too long', async () => {
    const inbox = new Inbox()
    expect(await inbox.take(['challenge'], 1)).toBeUndefined()
    const taken = inbox.take(['challenge'], 1_000)
    inbox.put({ type: 'auth_expiring' })
    inbox.put({ type: 'challenge' })
    expect(await taken).toEqual({ type: 'challenge' })
  })

  it('do not grow while nobody takes them', async () => {
    const inbox = new Inbox()
    inbox.put({ type: 'auth_ok' })
    for (let at = 0; at < 16; at++) inbox.put({ type: 'error', at })
    expect(await inbox.take(['auth_ok'], 1)).toBeUndefined()
    expect(await inbox.take(['error'], 1)).toEqual({ type: 'error', at: 0 })
  })
})
