import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { audit } from '../../../packages/server/src/audit/audit.ts'
import type { AuditOptions } from '../../../packages/server/src/audit/options.ts'
import type { LoginOptions } from '../../../packages/server/src/audit/options.ts'
import { toJson } from '../../../packages/server/src/reports/json.ts'
import { toTerminal } from '../../../packages/server/src/reports/terminal.ts'
import { writeReport } from '../../../packages/server/src/reports/write.ts'
import { openMirror } from './support/mirror.ts'

/** Where a secret goes in. */
interface Way {
  readonly low?: (secret: string) => LoginOptions
  readonly options?: (secret: string) => AuditOptions
  readonly target?: (url: string, secret: string) => string
}

const har = (url: string, secret: string): string =>
  JSON.stringify({
    log: {
      entries: [
        {
          _resourceType: 'websocket',
          request: {
            url: `${url}?access_token=${encodeURIComponent(secret)}`,
            method: 'GET',
            headers: [
              { name: 'Cookie', value: `sid=${encodeURIComponent(secret)}` },
              { name: 'X-Auth-Token', value: encodeURIComponent(secret) },
            ],
          },
          response: { status: 101, headers: [] },
          _webSocketMessages: [
            { type: 'send', opcode: 1, data: JSON.stringify({ type: 'auth', token: secret }) },
          ],
        },
      ],
    },
  })

const ways: Readonly<Record<string, Way>> = {
  'a cookie': { low: (secret) => ({ cookie: `sid=${encodeURIComponent(secret)}` }) },
  'a header field': { low: (secret) => ({ headers: { 'X-Login': `Bearer ${encodeURIComponent(secret)}` } }) },
  Basic: { low: (secret) => ({ basic: `mira:${secret}` }) },
  'a form': { low: (secret) => ({ form: { url: '/login', fields: { user: 'mira', password: secret } } }) },
  'a form with a hidden field': {
    low: (secret) => ({ form: { url: '/login', fields: { password: secret }, csrf: 'csrf' } }),
  },
  'a form in JSON': {
    low: (secret) => ({ form: { url: '/login', fields: { password: secret }, json: true } }),
  },
  'a token in the query': { low: () => ({ token: { url: '/token', as: { query: 'token' } } }) },
  'a token in the query, from a command': {
    low: (secret) => ({
      token: {
        command: [process.execPath, '-e', `process.stdout.write(${JSON.stringify(secret)})`],
        as: { query: 'q' },
      },
    }),
  },
  'the body that asks for a token': {
    low: (secret) => ({
      token: { url: '/echo', body: JSON.stringify({ password: secret }), as: { first: '{"a":"{token}"}' } },
    }),
  },
  'the body of a step': {
    low: (secret) => ({ steps: [{ url: '/echo', body: JSON.stringify({ password: secret }) }] }),
  },
  'the fields of a step': {
    low: (secret) => ({
      steps: [{ url: '/echo?n=1', body: new URLSearchParams({ user: 'mira', password: secret }).toString() }],
    }),
  },
  'what a step takes': {
    low: () => ({
      steps: [
        { url: '/token', take: { key: { member: 'token' } } },
        { url: '/echo?key={key}', body: '{"key":"{key}"}', headers: { 'X-Seen': 'as it is' } },
      ],
      headers: { 'X-Login': 'Bearer {key}' },
    }),
  },
  'what a step takes, for WAMP': {
    low: () => ({
      steps: [{ url: '/token', take: { key: { member: 'token' } } }],
      wamp: { authid: 'mira', method: 'ticket', secret: '{key}' },
    }),
    options: () => ({ protocol: 'wamp' }),
  },
  'a token in the first message': {
    low: () => ({ token: { url: '/token', as: { first: '{"type":"hello","with":"{token}"}' } } }),
  },
  'a token of Socket.IO': {
    low: () => ({ token: { url: '/token', as: { payload: 'token' } } }),
    options: () => ({ protocol: 'socket.io' }),
  },
  'a token of GraphQL': {
    low: () => ({ token: { url: '/token', as: { payload: 'token' } } }),
    options: () => ({ protocol: 'graphql-transport-ws' }),
  },
  'a ticket of WAMP': {
    low: (secret) => ({ wamp: { authid: 'mira', method: 'ticket', secret } }),
    options: () => ({ protocol: 'wamp' }),
  },
  'messages of the configuration': {
    options: (secret) => ({
      messages: [JSON.stringify({ type: 'auth', password: secret })],
      whoami: { send: { type: 'whoami', token: secret }, expect: '"name":"([^]+)"' },
    }),
  },
  'user information in the target': {
    target: (url, secret) => url.replace('ws://', `ws://mira:${encodeURIComponent(secret)}@`),
  },
  'a token in the target’s query': {
    target: (url, secret) => `${url}?room=1&access_token=${encodeURIComponent(secret)}`,
  },
  'a command of curl': {
    target: (url, secret) =>
      `curl '${url}' -H 'Cookie: sid=${encodeURIComponent(secret)}' -H 'X-Api-Token: ${encodeURIComponent(secret)}'`,
  },
  'a recording': { target: har },
}

/** At least twelve characters, and always some that URLs, JSON and HTML write differently. */
const secrets = fc
  .tuple(
    fc.string({
      unit: fc.constantFrom(...Array.from('abcXYZ019-_.~+/=%&"<>\\ é')),
      minLength: 6,
      maxLength: 20,
    }),
    fc.stringMatching(/^[a-z0-9]{6}$/),
  )
  .map(([odd, plain]) => `k"+${odd}&%${plain}`)

/** How a secret may be written, and still be one. */
function spellings(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1)
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ a: secret }).toString().slice(2),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`mira:${secret}`).toString('base64'),
    json,
    JSON.stringify(json).slice(1, -1),
    JSON.stringify(encodeURIComponent(secret)).slice(1, -1),
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  ]
}

async function everythingWritten(way: Way, secret: string): Promise<readonly string[]> {
  const mirror = await openMirror(secret)
  try {
    const { whoami = { expect: '"name":"([^]+)"' }, ...more } = way.options?.(secret) ?? {}
    const low = way.low?.(secret)
    const options: AuditOptions = {
      protocol: 'plain',
      whoami,
      private: ['"url"'],
      settleMs: 60,
      silenceMs: 200,
      headMs: 200,
      deadPeerMs: 200,
      ...more,
      ...(low === undefined ? {} : { identities: { low } }),
    }
    const report = await audit(way.target?.(mirror.url, secret) ?? mirror.url, options)
    const said = report.results.length > 0 ? '' : `nothing ran: ${report.unreachable ?? ''}`
    expect(said).toBe('')
    const terminal = {
      paint: (_tone: unknown, text: string) => text,
      known: new Set<string>(),
      columns: 9_999,
    }
    return [
      ...(['html', 'json', 'sarif', 'junit'] as const).map((format) => writeReport(report, format)),
      toTerminal(report, { ...terminal, verbose: true }).join('\n'),
      JSON.stringify(toJson(report)),
      JSON.stringify(report.results),
      report.target,
    ]
  } finally {
    await mirror.close()
  }
}

describe.concurrent('a secret is in no report when it comes by', () => {
  it.each(Object.entries(ways))('%s', { timeout: 60_000 }, async (_name, way) => {
    await fc.assert(
      fc.asyncProperty(secrets, async (secret) => {
        for (const text of await everythingWritten(way, secret))
          for (const spelling of spellings(secret)) {
            const at = text.indexOf(spelling)
            expect(at === -1 ? '' : text.slice(Math.max(0, at - 120), at + 80)).toBe('')
          }
      }),
      { numRuns: 1, endOnFailure: true },
    )
  })
})

describe('what is not known to be secret', () => {
  it('stays readable: the evidence says what was asked', async () => {
    const texts = await everythingWritten(ways['a token in the target’s query'] ?? {}, 'k"+nothing&%12345')
    expect(texts.join('\n')).toContain('room=1&access_token=[secret]')
  })
})
