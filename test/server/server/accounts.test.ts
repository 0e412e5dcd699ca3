import { cookie, createGuard, grantOf, memory, tls } from 'countersign'
import { certificate, session, type CertificateSubject } from 'countersign/methods'
import { nodePlatform } from 'countersign/platform/node'
import { describe, expect, it } from 'vitest'
import {
  checkUsername,
  createAccount,
  listAccounts,
  setDisabled,
  setPassword,
  setRoles,
  type AccountTools,
} from '../../../packages/server/src/server/accounts.ts'
import { certificateOf } from '../../countersign/support/certificates.ts'
import { connect, connected, passwords, siteOrigin } from './support.ts'

function openTools(): AccountTools {
  return { records: memory(), passwords, clock: nodePlatform().clock }
}

const alice = { username: 'Alice', password: 'wonderland', roles: ['user', 'user'] }

describe('accounts', () => {
  it('are kept under the normalised name, with a hash for a password and each role once', async () => {
    const tools = openTools()
    const row = await createAccount(tools, alice)
    expect(row).toMatchObject({ username: 'alice', roles: ['user'], disabled: false })
    expect(row.passwordHash).toMatch(/^\$argon2id\$/)
    expect(await tools.records.findAccount('alice')).toEqual(row)
  })

  it('are listed by name', async () => {
    const tools = openTools()
    for (const username of ['bob', 'alice', 'carol']) {
      await createAccount(tools, { username, password: undefined, roles: [] })
    }
    expect((await listAccounts(tools.records)).map((row) => row.username)).toEqual(['alice', 'bob', 'carol'])
  })

  it('are not created twice, whatever the spelling', async () => {
    const tools = openTools()
    await createAccount(tools, alice)
    await expect(createAccount(tools, { ...alice, username: 'ＡLICE' })).rejects.toThrow('exists already')
  })

  it.each(['', 'x'.repeat(65), 'a b', 'a:b', 'a\u0000b', '\t'])('have no name like %j', (name) => {
    expect(() => checkUsername(name)).toThrow('username')
  })

  it.each([['short'], ['x'.repeat(1_025)]])(
    'have no password of a forbidden length (%#)',
    async (password) => {
      await expect(createAccount(openTools(), { ...alice, password })).rejects.toThrow('8 to 1024 characters')
    },
  )

  it.each([[['a b']], [['']], [['x'.repeat(65)]], [Array.from({ length: 33 }, (_, at) => `r${at}`)]])(
    'have no roles like these (%#)',
    async (roles) => {
      await expect(createAccount(openTools(), { ...alice, roles })).rejects.toThrow('roles')
    },
  )

  it('cannot be changed before they exist', async () => {
    await expect(setPassword(openTools(), 'nobody', 'wonderland')).rejects.toThrow('there is no nobody')
  })

  it.each([
    ['password', (tools: AccountTools) => setPassword(tools, 'alice', 'looking-glass')],
    ['roles', (tools: AccountTools) => setRoles(tools, 'alice', ['admin'])],
    ['being disabled', (tools: AccountTools) => setDisabled(tools, 'alice', true)],
  ])('end what they had opened when they change by %s', async (_name, change) => {
    const tools = openTools()
    const accept = [session({ from: cookie('s') })]
    const guard = createGuard({ records: tools.records, origins: [siteOrigin], accept })
    await createAccount(tools, alice)
    const issued = await guard.issue.session({ subject: 'alice' })
    const lease = await connected(guard, { cookie: `s=${issued.session}` })
    await change({ ...tools, guard })
    expect([lease.ended, lease.reason]).toEqual([true, 'revoked'])
  })

  it.each<[string, (tools: AccountTools) => Promise<unknown>]>([
    ['password', (tools) => setPassword(tools, 'alice', 'looking-glass')],
    ['roles', (tools) => setRoles(tools, 'alice', ['admin'])],
    [
      'being disabled and enabled',
      async (tools) => {
        await setDisabled(tools, 'alice', true)
        await setDisabled(tools, 'alice', false)
      },
    ],
  ])('do not bring a certificate back that is older than their change by %s', async (_name, change) => {
    const tools = openTools()
    const subjects = (): CertificateSubject => ({ subject: 'alice', roles: [] })
    const accept = [certificate({ from: tls(), subjects })]
    const guard = createGuard({ records: tools.records, origins: [siteOrigin], accept })
    await createAccount(tools, alice)
    const old = certificateOf({ notBeforeMs: Date.now() - 1, notAfterMs: Date.now() + 60_000 })
    const lease = await connected(guard, { certificate: old, secure: true })
    await change({ ...tools, guard })
    expect(lease.reason).toBe('revoked')
    expect(await connect(guard, { certificate: old, secure: true })).toBe('invalid_credential')
    const changedAtMs = Date.now()
    await expect.poll(() => Date.now()).toBeGreaterThan(changedAtMs)
    const fresh = { ...old, notBeforeMs: Date.now(), fingerprint: 'cd'.repeat(32), serial: '02' }
    expect((await connected(guard, { certificate: fresh, secure: true })).ended).toBe(false)
  })

  it('leave a mark when no guard runs', async () => {
    const tools = openTools()
    await createAccount(tools, alice)
    await setDisabled(tools, 'alice', true)
    const grant = grantOf({ subject: 'alice', roles: [], issuedAtMs: 0 })
    expect(await tools.records.findMark(grant, '')).toMatchObject({
      kind: 'subject',
      value: 'alice',
    })
  })
})
