/** Keys of accounts from the command line to the router: unmodified clients join with them, until they are taken away. */
import { execFile } from 'node:child_process'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join as pathOf } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { argon2Passwords, ed25519Signer } from 'countersign/platform/node'
import { wampHello, type Records } from '../../packages/countersign/src/index.ts'
import { accounts, cryptosign, scram } from '../../packages/countersign/src/methods/index.ts'
import { sqlite } from '../../packages/countersign/src/stores/sqlite.ts'
import { addPublicKey, endPublicKey } from '../../packages/server/src/server/account-keys.ts'
import { setDisabled, setPassword, type AccountTools } from '../../packages/server/src/server/accounts.ts'
import { startSite, type Site } from '../countersign/adapters/wamp-site.ts'
import { countersign } from '../server/cli/support/command.ts'
import { mount, node, urlOf, websocket } from '../server/server/crossbar/mounted.ts'
import { join, joined, type Who } from '../server/server/crossbar/wamp-client.ts'
import { publicKeyOf, seed } from './wamp-guests.ts'

const folder = mkdtempSync(pathOf(tmpdir(), 'countersign-account-keys-'))
const store = pathOf(folder, 'countersign.db')
const password = 'a long enough one'
const publicKey = publicKeyOf(seed)
let records: Records
let site: Site
let tools: AccountTools

/** As somebody would type it. */
async function user(...args: readonly string[]): Promise<void> {
  const { exit, stderr } = await countersign(['user', ...args, '--store', store], { stdin: `${password}\n` })
  if (exit !== 0) throw new Error(stderr)
}

beforeAll(async () => {
  await user('add', 'ann', '--role', 'frontend', '--no-password')
  await user('ed25519', 'add', 'ann', publicKey)
  for (const [name, kdf] of [
    ['bob', 'argon2id-13'],
    ['carol', 'pbkdf2'],
  ] as const) {
    await user('add', name, '--role', 'frontend', '--password-stdin')
    await user('scram', name, '--kdf', kdf, '--password-stdin')
  }
  records = sqlite(store)
  const from = wampHello()
  const accept = [cryptosign({ from, sources: [accounts()] }), scram({ from, sources: [accounts()] })]
  site = await startSite({ accept, guard: { records } })
  tools = { records, passwords: argon2Passwords(), clock: { now: () => Date.now() }, guard: site.guard }
})
afterAll(async () => {
  await site.close()
  await records.close()
  rmSync(folder, { recursive: true })
})

/** What is needed of autobahn, which brings no types. */
interface Autobahn {
  readonly auth_cryptosign: {
    create_connection(config: object): {
      onopen: (session: unknown, details: Readonly<Record<string, unknown>>) => void
      onclose: (reason: string, details: Readonly<Record<string, unknown>>) => boolean
      open(): void
      close(): void
    }
  }
  readonly nacl: { readonly sign: { readonly keyPair: { fromSeed(seed: Uint8Array): object } } }
}
const autobahn = createRequire(import.meta.url)('autobahn') as Autobahn

/** Joins with autobahn-js and leaves. */
function withAutobahn(seedHex: string, authid?: string): Promise<unknown> {
  return new Promise((resolve) => {
    const pkey = autobahn.nacl.sign.keyPair.fromSeed(Uint8Array.from(Buffer.from(seedHex, 'hex')))
    const named = authid === undefined ? {} : { authid }
    const connection = autobahn.auth_cryptosign.create_connection({
      url: site.url,
      realm: 'realm1',
      pkey,
      ...named,
    })
    connection.onopen = (_session, { authid: name, authrole, authprovider }) => {
      resolve({ authid: name, authrole, authprovider })
      connection.close()
    }
    connection.onclose = (_reason, { reason }) => {
      resolve({ reason })
      return true
    }
    connection.open()
  })
}

/** Joins with Debian's python3-autobahn, which argon2id costs its time. */
function withPython(method: string, shown: Readonly<Record<string, string>>): Promise<unknown> {
  const script = pathOf(import.meta.dirname, 'wamp-python.py')
  const visit = { name: method, url: site.url, realm: 'realm1', serializers: ['json'], method, with: shown }
  return new Promise((resolve, reject) => {
    const child = execFile('/usr/bin/python3', [script, 'asyncio'], { timeout: 90_000 }, (error, stdout) => {
      if (error !== null) return reject(error)
      const [{ joins = [], leaves = [] } = {}] = JSON.parse(stdout) as {
        joins?: unknown[]
        leaves?: unknown[]
      }[]
      resolve(joins[0] ?? leaves[0])
    })
    child.stdin?.end(JSON.stringify([visit]))
  })
}

/** A client of `scram-sha-256`, whose answer is the proof alone. */
function proving(authid: string, secret: string): Who {
  const nonce = 'bm9uY2Ugb2YgYSB0ZXN0'
  return {
    methods: ['scram-sha-256'],
    authid,
    extra: { nonce },
    answer(_method, { nonce: both, salt, iterations }) {
      const salted = pbkdf2Sync(secret, Buffer.from(String(salt), 'base64'), Number(iterations), 32, 'sha256')
      const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()
      const clientKey = hmac(salted, 'Client Key')
      const words = [`n=${authid},r=${nonce}`, `r=${String(both)},s=${String(salt)},i=${String(iterations)}`]
      const signed = [...words, `c=biws,r=${String(both)}`].join(',')
      const signature = hmac(createHash('sha256').update(clientKey).digest(), signed)
      return Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))).toString('base64')
    },
  }
}

/** A client of cryptosign that is nobody's. */
function signing(seedHex: string): Who {
  const signer = ed25519Signer(Buffer.from(seedHex, 'hex'))
  return {
    methods: ['cryptosign'],
    extra: { pubkey: signer.publicKey },
    answer(_method, { challenge }) {
      const message = Buffer.from(String(challenge), 'hex')
      const signature = signer.sign(message)
      if (!(signature instanceof Uint8Array)) throw new Error('Node signs at once')
      return Buffer.concat([signature, message]).toString('hex')
    },
  }
}

const denied = 'wamp.error.authentication_denied'

describe('a public key of an account', () => {
  it('lets autobahn-js in, named or not', async () => {
    const ann = { authid: 'ann', authrole: 'frontend', authprovider: 'accounts' }
    expect(await withAutobahn(seed)).toEqual(ann)
    expect(await withAutobahn(seed, 'Ann')).toEqual(ann)
    expect(await withAutobahn(seed, 'bob')).toEqual({ reason: denied })
    expect(await withAutobahn('11'.repeat(32))).toEqual({ reason: denied })
  })

  it("lets Debian's python3-autobahn in", async () => {
    expect(await withPython('cryptosign', { authid: 'ann', privkey: seed })).toMatchObject({
      authid: 'ann',
      authrole: 'frontend',
      authmethod: 'cryptosign',
      authprovider: 'accounts',
    })
  })

  it('ends the session that it opened when it is removed, and opens no other', async () => {
    const other = '22'.repeat(32)
    await addPublicKey(tools, 'ann', publicKeyOf(other))
    const session = new Promise((resolve) => {
      const pkey = autobahn.nacl.sign.keyPair.fromSeed(Uint8Array.from(Buffer.from(other, 'hex')))
      const connection = autobahn.auth_cryptosign.create_connection({ url: site.url, realm: 'realm1', pkey })
      connection.onopen = () => void endPublicKey(tools, 'ann', publicKeyOf(other))
      connection.onclose = (reason) => {
        resolve(reason)
        return true
      }
      connection.open()
    })
    expect(await session).not.toBe('unreachable')
    expect(await withAutobahn(other)).toEqual({ reason: denied })
    expect(await withAutobahn(seed)).toMatchObject({ authid: 'ann' })
  })
})

describe('SCRAM keys of an account', () => {
  it("let Debian's python3-autobahn in, which checks that the router keeps them", async () => {
    expect(await withPython('scram', { authid: 'bob', password })).toMatchObject({
      authid: 'bob',
      authrole: 'frontend',
      authprovider: 'accounts',
    })
    expect(await withPython('scram', { authid: 'bob', password: 'another one' })).toBe(denied)
  })

  it('let a client of RFC 7677 in, until the password changes', async () => {
    const session = await joined(site.url, proving('carol', password))
    expect(await join(site.url, proving('carol', 'another one'))).toEqual({ kind: 'aborted', reason: denied })
    await setPassword(tools, 'carol', 'quite another one')
    expect(await session.goodbye()).toMatch(/^wamp\.close\./)
    for (const secret of [password, 'quite another one']) {
      expect(await join(site.url, proving('carol', secret))).toEqual({ kind: 'aborted', reason: denied })
    }
  })

  it('let nobody in while the account is disabled', async () => {
    await setDisabled(tools, 'bob', true)
    expect(await withPython('scram', { authid: 'bob', password })).toBe(denied)
  })
})

describe('a router of a Crossbar.io configuration', () => {
  it('takes keys of accounts, and ends what a key opened when the command line removes it', async () => {
    const auth = { cryptosign: { type: 'x_accounts' }, scram: { type: 'x_accounts' } }
    const url = urlOf(await mount(node([websocket(auth)]), { at: folder, store }))
    const other = '33'.repeat(32)
    await user('ed25519', 'add', 'ann', publicKeyOf(other))
    const session = await joined(url, signing(other))
    await user('ed25519', 'remove', 'ann', publicKeyOf(other))
    expect(await session.goodbye()).toBe('wamp.close.killed')
    expect(await join(url, signing(other))).toEqual({ kind: 'aborted', reason: denied })
    await user('add', 'dora', '--role', 'frontend', '--no-password')
    await user('scram', 'dora', '--kdf', 'pbkdf2', '--password-stdin')
    expect(await join(url, proving('dora', password))).toMatchObject({
      details: { authid: 'dora', authmethod: 'scram-sha-256' },
    })
  })
})
