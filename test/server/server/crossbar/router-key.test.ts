import { writeFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { ed25519Signer, nodePlatform } from 'countersign/platform/node'
import { describe, expect, it } from 'vitest'
import { readCrossbarConfig } from '../../../../packages/server/src/server/crossbar/read.ts'
import { folder, mount, node, urlOf, websocket } from './mounted.ts'
import { join } from './wamp-client.ts'

const seed = '5b'.repeat(32)
const { publicKey } = ed25519Signer(Buffer.from(seed, 'hex'))
const clientKey = ed25519Signer(Buffer.from('11'.repeat(32), 'hex')).publicKey
const asked = 'c7'.repeat(32)

/** A block of cryptosign with this key. */
function block(key: unknown): object {
  const principals = { joe: { role: 'frontend', authorized_keys: [clientKey] } }
  return { type: 'static', principals, x_router_key: key }
}

/** What the router says in CHALLENGE to a client that challenges it. */
async function challengeOf(cryptosign: object, at: string): Promise<Readonly<Record<string, unknown>>> {
  let told: Readonly<Record<string, unknown>> = {}
  await join(urlOf(await mount(node([websocket({ cryptosign })]), { at })), {
    methods: ['cryptosign'],
    authid: 'joe',
    extra: { pubkey: clientKey, challenge: asked },
    answer: (_method, extra) => {
      told = extra
      return ''
    },
  })
  return told
}

function keyFile(at: string, text: string, mode = 0o600): void {
  writeFileSync(joinPath(at, 'key.priv'), text, { mode })
}

/** Findings of a configuration. */
function issuesOf(cryptosign: unknown): unknown {
  const config = JSON.stringify(node([websocket({ cryptosign })]))
  return readCrossbarConfig(config, { path: '/nowhere/config.json', environment: { ROUTER: seed } })
}

describe('x_router_key', () => {
  it.each([
    ['a seed', seed, ''],
    ['a seed in capitals', seed.toUpperCase(), ''],
    ['a file of a seed', 'key.priv', `${seed}\n`],
    [
      'a file of named lines',
      'key.priv',
      `Crossbar.io node private key\n\nmachine-id: ab\npublic-key-ed25519: ${publicKey}\r\nprivate-key-ed25519: ${seed}\r\n`,
    ],
  ])('of %s signs what the client challenges the router with', async (_what, key, text) => {
    const at = folder()
    if (text !== '') keyFile(at, text)
    const { pubkey, signature } = await challengeOf(block(key), at)
    expect(pubkey).toBe(publicKey)
    expect(String(signature).slice(128)).toBe(asked)
    const bytes = Buffer.from(String(signature), 'hex')
    const key32 = Buffer.from(publicKey, 'hex')
    const message = Buffer.from(asked, 'hex')
    expect(
      nodePlatform().verifyEd25519({ publicKey: key32, message, signature: bytes.subarray(0, 64) }),
    ).toBe(true)
  })

  it('stands in one block of a list', async () => {
    const { x_router_key: _none, ...other } = { ...block(seed), x_router_key: undefined }
    expect(await challengeOf([other, block(seed)], folder())).toMatchObject({ pubkey: publicKey })
  })

  it('that is not written leaves the client without a signature', async () => {
    const told = await challengeOf(block(undefined), folder())
    expect(Object.keys(told).toSorted()).toEqual(['challenge', 'channel_binding'])
  })

  it.each([
    ['missing', undefined, 0o600],
    ['without a key', 'nothing here', 0o600],
    ['with half a key', `private-key-ed25519: ${seed.slice(1)}`, 0o600],
    ['that others can read', seed, 0o644],
  ])('in a file %s keeps the transport from opening, and is not told', async (_what, text, mode) => {
    const at = folder()
    if (text !== undefined) keyFile(at, text, mode)
    const opening = mount(node([websocket({ cryptosign: block('key.priv') })]), { at })
    await expect(opening).rejects.toThrow('x_router_key')
    await expect(opening).rejects.not.toThrow('5b5b')
  })

  it('may come from the environment, and is an error where it is twice, empty or another method’s', () => {
    expect(issuesOf(block('${ROUTER}'))).toMatchObject({ kind: 'ok' })
    expect(JSON.stringify(issuesOf(block('${NOBODY}')))).toContain('NOBODY, which is not set')
    expect(JSON.stringify(issuesOf([block(seed), block(seed)]))).toContain('is there twice')
    expect(issuesOf(block(''))).toMatchObject({ kind: 'invalid' })
    expect(issuesOf(block(7))).toMatchObject({ kind: 'invalid' })
    const ticket = { type: 'static', principals: {}, x_router_key: seed }
    expect(
      readCrossbarConfig(JSON.stringify(node([websocket({ ticket })])), {
        path: '/nowhere/config.json',
        environment: {},
      }),
    ).toMatchObject({ kind: 'invalid' })
  })
})
