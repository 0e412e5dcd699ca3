import { generateKeyPairSync, sign } from 'node:crypto'
import { join as joinPath } from 'node:path'
import { describe, expect, it } from 'vitest'
import { countersign } from '../../cli/support/command.ts'
import { folder, mount, node, urlOf, websocket } from './mounted.ts'
import { join, joined, shows } from './wamp-client.ts'

const auth = {
  ticket: [
    { type: 'static', principals: { joe: { ticket: 'abc', role: 'frontend' } } },
    { type: 'x_accounts', 'default-role': 'frontend' },
  ],
}

async function withAlice(): Promise<{ readonly at: string; readonly store: string }> {
  const at = folder()
  const store = joinPath(at, 'countersign.db')
  const args = ['user', 'add', 'alice', '--store', store, '--password-stdin']
  expect(await countersign(args, { stdin: 'a long enough one\n' })).toMatchObject({ exit: 0 })
  return { at, store }
}

describe('x_accounts', () => {
  it('lets in who has an account beside the configuration, behind those whom the file names', async () => {
    const { at } = await withAlice()
    const url = urlOf(await mount(node([websocket(auth)]), { at }))
    const alice = { methods: ['ticket'], authid: 'alice' }
    expect(await join(url, { ...alice, answer: shows('a long enough one') })).toMatchObject({
      details: { authid: 'alice', authrole: 'frontend', authprovider: 'accounts' },
    })
    expect(await join(url, { ...alice, answer: shows('another one') })).toMatchObject({ kind: 'aborted' })
    expect(await join(url, { ...alice, authid: 'joe', answer: shows('abc') })).toMatchObject({
      details: { authprovider: 'static' },
    })
  })

  it('lets in by a public key of an account, under its role', async () => {
    const { at, store } = await withAlice()
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const hex = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex')
    expect(await countersign(['user', 'ed25519', 'add', 'alice', hex, '--store', store])).toMatchObject({
      exit: 0,
    })
    const cryptosign = { type: 'x_accounts', 'default-role': 'frontend' }
    const url = urlOf(await mount(node([websocket({ cryptosign })]), { at, store }))
    const answer = (_method: string, { challenge }: Readonly<Record<string, unknown>>): string => {
      const signature = sign(null, Buffer.from(String(challenge), 'hex'), privateKey)
      return signature.toString('hex') + String(challenge)
    }
    const alice = { methods: ['cryptosign'], authid: 'alice', extra: { pubkey: hex }, answer }
    expect(await join(url, alice)).toMatchObject({
      details: { authid: 'alice', authrole: 'frontend', authprovider: 'accounts' },
    })
    expect(await join(url, { ...alice, authid: 'bob' })).toMatchObject({ kind: 'aborted' })
  })

  it('challenges by the SCRAM keys of an account', async () => {
    const { at, store } = await withAlice()
    const args = ['user', 'scram', 'alice', '--kdf', 'pbkdf2', '--store', store, '--password-stdin']
    expect(await countersign(args, { stdin: 'a long enough one\n' })).toMatchObject({ exit: 0 })
    const scram = { type: 'x_accounts', 'default-role': 'frontend' }
    const url = urlOf(await mount(node([websocket({ scram })]), { at, store }))
    const extras: unknown[] = []
    const answer = (_method: string, extra: Readonly<Record<string, unknown>>): string => {
      extras.push(extra)
      return 'wrong'
    }
    const extra = { nonce: Buffer.alloc(16, 7).toString('base64') }
    expect(await join(url, { methods: ['wamp-scram'], authid: 'alice', extra, answer })).toMatchObject({
      kind: 'aborted',
    })
    expect(extras).toMatchObject([{ kdf: 'pbkdf2', salt: expect.any(String) }])
  })

  it('ends sessions of an account that is disabled by the command line', async () => {
    const { at, store } = await withAlice()
    const url = urlOf(await mount(node([websocket(auth)]), { at, store }))
    const alice = { methods: ['ticket'], authid: 'alice', answer: shows('a long enough one') }
    const session = await joined(url, alice)
    await countersign(['user', 'disable', 'alice', '--store', store])
    expect(await session.goodbye()).toBe('wamp.close.killed')
    expect(await join(url, alice)).toMatchObject({ kind: 'aborted' })
  })
})
