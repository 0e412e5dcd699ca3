import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { Hocuspocus, type Extension } from '@hocuspocus/server'
import { assert, property, string, uint8Array } from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import * as Y from 'yjs'
import {
  documentAccess,
  guardHocuspocus,
  leaseOf,
  type ProtocolDoor,
} from '../../../packages/countersign/src/adapters/hocuspocus.ts'
import { providerOpening } from '../../../packages/countersign/src/adapters/hocuspocus-opening.ts'
import {
  createGuard,
  firstMessage,
  memory,
  messagePolicy,
  query,
  type Guard,
  type Lease,
} from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { numRuns } from '../support/guard.ts'
import { call, until } from '../support/sockets.ts'
import { plainSpeech, type Speech } from './speech.ts'
import { adapterSuite } from './suite.ts'

/** A text in the encoding of lib0. */
function encoded(value: string): Buffer {
  const bytes = Buffer.from(value)
  const length: number[] = []
  let rest = bytes.length
  for (; rest > 0x7f; rest >>= 7) length.push((rest & 0x7f) | 0x80)
  return Buffer.concat([Buffer.of(...length, rest), bytes])
}

/** A message of a provider: its first, unless told otherwise. */
function opening(name: string, token: string, type: readonly number[] = [2, 0]): Buffer {
  return Buffer.concat([encoded(name), Buffer.of(...type), encoded(token)])
}

const speech: Speech = {
  ...plainSpeech,
  first: (token) => opening('notes', token),
  opening: [opening('notes', '')],
  // A stateless message.
  say: (text) => opening('notes', text, [5]),
  terse: false,
}

adapterSuite({
  name: 'Hocuspocus',
  speech,
  open({ guard, greet }) {
    const hear = new WeakMap<object, (text: string) => void>()
    const hocuspocus = new Hocuspocus({
      quiet: true,
      async connected({ connection, context, request, requestHeaders, requestParameters }) {
        const seen = [request.url, [...request.headers], [...requestHeaders], [...requestParameters], context]
        hear.set(
          connection,
          greet(leaseOf({ context }), seen, (text) => connection.sendStateless(text)),
        )
      },
      async onStateless({ connection, payload }) {
        hear.get(connection)?.(payload)
      },
    })
    const server = createServer()
    const door = guardHocuspocus(server, new WebSocketServer({ noServer: true }), guard, { hocuspocus })
    return {
      server,
      close() {
        door.close()
        server.close()
      },
    }
  },
})

const policy = messagePolicy({
  actions: {
    'document.write': { roles: { member: ['notes'], admin: ['*'] }, resource: 'document' },
    'document.read': { roles: { member: ['*'] }, resource: 'document' },
  },
})

interface Site {
  readonly guard: Guard
  readonly door: ProtocolDoor
  readonly server: ReturnType<typeof createServer>
  readonly port: number
  readonly leases: Lease[]
  readonly tokens: string[]
  readonly hocuspocus: Hocuspocus
}

async function openSite(): Promise<Site> {
  const guard = createGuard({
    records: memory(),
    accept: [ticket({ from: [query('ticket'), firstMessage()] })],
    limits: { jitter: 0, graceMs: 0, warnMs: 0, lingerMs: 300, deadlineMs: 300 },
  })
  const leases: Lease[] = []
  const tokens: string[] = []
  const listening: Extension = {
    async onAuthenticate({ context, token }) {
      leases.push(leaseOf({ context }))
      tokens.push(token)
    },
  }
  const hocuspocus = new Hocuspocus({ quiet: true, extensions: [documentAccess(policy), listening] })
  const server = createServer()
  const wss = new WebSocketServer({ noServer: true })
  const door = guardHocuspocus(server, wss, guard, { hocuspocus })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    door.close()
    guard.close()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { guard, door, server, port, leases, tokens, hocuspocus }
}

const ticketOf = async (
  { guard }: Site,
  roles: readonly string[] = ['member'],
  leaseMs = 900_000,
): Promise<string> => (await guard.issue.ticket({ subject: 'alice', roles, leaseMs })).ticket

interface Editor {
  readonly provider: HocuspocusProvider
  readonly text: Y.Text
  readonly events: string[]
}

/** An editor with a socket of its own. */
function edit(site: Site, name: string, token: () => Promise<string>, path = '/'): Editor {
  const websocketProvider = new HocuspocusProviderWebsocket({
    url: `ws://127.0.0.1:${site.port}${path}`,
    WebSocketPolyfill: WebSocket,
    maxAttempts: 1,
  })
  const document = new Y.Doc()
  const events: string[] = []
  const provider = new HocuspocusProvider({
    websocketProvider,
    name,
    document,
    token,
    onAuthenticated: () => void events.push('authenticated'),
    onAuthenticationFailed: ({ reason }) => void events.push(`denied: ${reason}`),
    onSynced: () => void events.push('synced'),
    onClose: ({ event }) => void events.push(`close: ${event.code} ${event.reason}`),
  })
  provider.attach()
  onTestFinished(() => {
    provider.destroy()
    websocketProvider.destroy()
  })
  return { provider, text: document.getText('text'), events }
}

describe('Hocuspocus behind a guard', () => {
  test('takes the token of a provider, of which its hooks see nothing, and documents are shared', async () => {
    const site = await openSite()
    const one = edit(site, 'notes', () => ticketOf(site))
    const other = edit(site, 'notes', () => ticketOf(site))
    await until(() => one.events.includes('synced') && other.events.includes('synced'))
    one.text.insert(0, 'hello')
    await until(() => other.text.toString() === 'hello')
    expect(site.tokens).toEqual(['', ''])
    expect(site.leases.map(({ principal }) => principal.id)).toEqual(['alice', 'alice'])
  })

  test('takes a credential of the handshake', async () => {
    const site = await openSite()
    const editor = edit(site, 'notes', async () => 'any', `/?ticket=${await ticketOf(site)}`)
    await until(() => editor.events.includes('synced'))
  })

  test.each<[string, Buffer | string, number, string]>([
    ['a wrong token', opening('notes', 'wrong'), 3000, 'invalid_credential'],
    ['an empty token', opening('notes', ''), 3000, 'missing_credential'],
    ['a step of synchronisation', opening('notes', 'x', [0, 0]), 3000, 'missing_credential'],
    ['text', 'notes', 1002, 'protocol_violation'],
    ['a message cut off', opening('notes', 'a token').subarray(0, -1), 1002, 'protocol_violation'],
  ])('refuses %s, before Hocuspocus knows of the socket', async (_what, message, code, reason) => {
    const site = await openSite()
    const caller = call(site)
    await caller.outcome
    caller.socket.send(message)
    expect(await caller.closed).toEqual({ code, reason })
    expect(site.hocuspocus.getConnectionsCount()).toBe(0)
    expect(site.leases).toEqual([])
  })

  test('does not wait for a provider that says nothing', async () => {
    const site = await openSite()
    expect(await call(site).closed).toEqual({ code: 3008, reason: 'authentication_timeout' })
  })

  test('closes at the end of the lease, and takes no change after it', async () => {
    const site = await openSite()
    const editor = edit(site, 'notes', () => ticketOf(site))
    const witness = edit(
      site,
      'notes',
      async () => (await site.guard.issue.ticket({ subject: 'bob', roles: ['member'] })).ticket,
    )
    await until(() => editor.events.includes('synced') && witness.events.includes('synced'))
    await site.guard.revoke({ subject: 'alice' })
    editor.text.insert(0, 'late')
    await until(() => editor.events.includes('close: 3003 revoked'))
    witness.text.insert(0, 'own')
    await until(() => site.hocuspocus.documents.get('notes')?.getText('text').toString() === 'own')
    expect(witness.text.toString()).toBe('own')
  })

  test('tells everyone by 1001 when the door closes', async () => {
    const site = await openSite()
    const editor = edit(site, 'notes', () => ticketOf(site))
    await until(() => editor.events.includes('synced'))
    site.door.close()
    await until(() => editor.events.includes('close: 1001 shutting_down'))
  })
})

describe('documents under a policy', () => {
  test('are read-only to who may read alone', async () => {
    const site = await openSite()
    const reader = edit(site, 'rules', () => ticketOf(site))
    const writer = edit(site, 'rules', () => ticketOf(site, ['admin', 'member']))
    await until(() => reader.events.includes('synced') && writer.events.includes('synced'))
    reader.text.insert(0, 'mine')
    writer.text.insert(0, 'law')
    await until(() => reader.text.toString().includes('law'))
    expect(site.hocuspocus.documents.get('rules')?.getText('text').toString()).toBe('law')
  })

  test('are denied to who may neither', async () => {
    const site = await openSite()
    const editor = edit(site, 'notes', () => ticketOf(site, ['guest']))
    await until(() => editor.events.includes('denied: permission-denied'))
    expect(editor.events).not.toContain('synced')
    expect(site.hocuspocus.documents.has('notes')).toBe(false)
  })

  test('take no change any more from someone whose role is gone', async () => {
    const site = await openSite()
    const editor = edit(site, 'notes', () => ticketOf(site))
    await until(() => editor.events.includes('synced'))
    editor.text.insert(0, 'before')
    const kept = (): string | undefined => site.hocuspocus.documents.get('notes')?.getText('text').toString()
    await until(() => kept() === 'before')
    const lease = site.leases[0]
    if (lease === undefined) throw new Error('nobody came in')
    const { grant, untilMs, neverAfterMs } = lease
    const principal = { ...lease.principal, roles: [] }
    lease.renew(
      { kind: 'accept', lease: undefined, principal, grant, untilMs, neverAfterMs },
      site.guard.now(),
    )
    const document = site.hocuspocus.documents.get('notes')
    editor.text.insert(0, 'after ')
    await until(() => editor.events.includes('close: 1000 permission-denied'))
    expect(document?.getText('text').toString()).toBe('before')
  })
})

describe('the first message of a provider', () => {
  test('is read, and its token taken out, whatever document and token', () => {
    assert(
      property(string({ unit: 'grapheme' }), string({ unit: 'grapheme' }), (name, token) => {
        const said = providerOpening(opening(name, token), true)
        expect(said).toEqual({ kind: 'said', text: token, heard: opening(name, '') })
      }),
      { numRuns },
    )
  })

  test('may be any bytes: it is read within its bounds', () => {
    assert(
      property(uint8Array({ maxLength: 64 }), (bytes) => {
        expect(['said', 'refused']).toContain(providerOpening(Buffer.from(bytes), true).kind)
      }),
      { numRuns },
    )
  })
})
