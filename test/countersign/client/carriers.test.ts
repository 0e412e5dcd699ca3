import { describe, expect, test } from 'vitest'
import { authorization, memory } from '../../../packages/countersign/src/index.ts'
import { password } from '../../../packages/countersign/src/methods/index.ts'
import { challengeResponse } from '../../../packages/countersign/src/client/challenges.ts'
import {
  clientCertificate,
  preauth,
  userinfo,
  type Ask,
} from '../../../packages/countersign/src/client/index.ts'
import { sampleAccount } from '../../../packages/countersign/src/testing/rows.ts'
import { openGuarded } from '../support/sockets.ts'
import { bases, connect } from './client.ts'

const ask: Ask = { purpose: 'connect', refused: undefined, signal: new AbortController().signal }
const target = { url: 'wss://ws.example.com:8443/chat?room=1', protocols: [] }

describe('user information', () => {
  test('is shown by a base that shows it, and is not in the socket’s URL', async () => {
    const records = memory()
    records.putAccount(sampleAccount({ username: 'alice', passwordHash: 'pass:word' }))
    const door = await openGuarded({ records, accept: [password({ from: authorization('Basic') })] })
    const [, WebSocket] = bases[1] ?? []
    const client = connect(door, {
      carrier: userinfo(() => 'alice:pass:word'),
      ...(WebSocket === undefined ? {} : { WebSocket }),
    })
    await client.comes('open')
    expect(client.socket.url).not.toContain('alice')
  })

  test.each([
    ['alice:wonder land', 'wss://alice:wonder%20land@ws.example.com:8443/chat?room=1'],
    ['token', 'wss://token@ws.example.com:8443/chat?room=1'],
    ['a:b:c', 'wss://a:b%3Ac@ws.example.com:8443/chat?room=1'],
    ['a@b/c:d', 'wss://a%40b%2Fc:d@ws.example.com:8443/chat?room=1'],
  ])('%s is written into the URL of the attempt', async (credential, url) => {
    expect(await userinfo(() => credential)(target, ask)).toMatchObject({ url })
  })
})

describe('a preauth token', () => {
  test('is added to the query that is there', async () => {
    const attempt = await preauth(() => 'csp_a b')(target, ask)
    expect(attempt.url).toBe('wss://ws.example.com:8443/chat?room=1&csrf=csp_a+b')
  })
})

describe('a client certificate', () => {
  test('is chosen by one credentialed request to the same host and port', async () => {
    const asked: unknown[] = []
    const carrier = clientCertificate({
      fetch: async (url, { credentials, mode }) => asked.push([url, credentials, mode]),
    })
    await carrier(target, ask)
    await carrier(target, ask)
    expect(asked).toEqual([['https://ws.example.com:8443/', 'include', 'no-cors']])
  })

  test('that was refused is not shown again', async () => {
    const carrier = clientCertificate({ fetch: async () => undefined })
    await expect(Promise.resolve(carrier(target, { ...ask, refused: 'forbidden' }))).rejects.toThrow(
      'was refused',
    )
  })

  test('whose request failed is asked for again', async () => {
    let asked = 0
    const carrier = clientCertificate({
      fetch: async () => {
        if (asked++ === 0) throw new Error('no network')
      },
    })
    await expect(Promise.resolve(carrier(target, ask))).rejects.toThrow('no network')
    await carrier(target, ask)
    expect(asked).toBe(2)
  })
})

describe('an answer to a challenge', () => {
  const talkOf = async (): Promise<(method: unknown, extra: unknown) => Promise<string>> => {
    const { talk } = await challengeResponse(() => ({ authid: 'peter', secret: 'secret1' }))(target, ask)
    return async (method, extra) => (await talk?.answer?.(method, extra)) ?? ''
  }

  test('signs as the WAMP specification does', async () => {
    const answer = await talkOf()
    const plain = JSON.parse(await answer('wampcra', { challenge: '{"nonce":"a"}' })) as { signature: string }
    const { createHmac, pbkdf2Sync } = await import('node:crypto')
    const signed = (key: string): string => createHmac('sha256', key).update('{"nonce":"a"}').digest('base64')
    expect(plain).toEqual({ type: 'authenticate', signature: signed('secret1') })
    const salting = { salt: 'salt123', iterations: 100, keylen: 16 }
    const salted = JSON.parse(await answer('wampcra', { challenge: '{"nonce":"a"}', ...salting })) as object
    const key = pbkdf2Sync('secret1', 'salt123', 100, 16, 'sha256').toString('base64')
    expect(salted).toEqual({ type: 'authenticate', signature: signed(key) })
  })

  test.each([
    ['another method', 'ticket', { challenge: 'a' }],
    ['no challenge', 'wampcra', {}],
    ['a challenge that is no text', 'wampcra', { challenge: 7 }],
    ['an endless challenge', 'wampcra', { challenge: 'x'.repeat(5_000) }],
    ['endless work', 'wampcra', { challenge: 'a', salt: 's', iterations: 1e9, keylen: 32 }],
    ['no work', 'wampcra', { challenge: 'a', salt: 's', iterations: 0, keylen: 32 }],
    ['an endless key', 'wampcra', { challenge: 'a', salt: 's', iterations: 1, keylen: 1e6 }],
    ['half a salting', 'wampcra', { challenge: 'a', salt: 's' }],
    ['nothing', 'wampcra', undefined],
  ])('is not given to %s', async (_what, method, extra) => {
    const answer = await talkOf()
    await expect(answer(method, extra)).rejects.toThrow('cannot be answered')
  })
})
