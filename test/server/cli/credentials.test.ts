import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { nodePlatform } from 'countersign/platform/node'
import { sqlite } from 'countersign/stores/sqlite'
import { countersign, type Outcome } from './support/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-credentials-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0

function fresh(name: string): string {
  return join(folder, `${(count += 1)}-${name}`)
}

function mode(file: string): string {
  return (statSync(file).mode & 0o777).toString(8)
}

async function createKey(store: string, ...more: readonly string[]): Promise<Outcome> {
  return countersign(['key', 'create', '--store', store, '--name', 'site', '--subject', 'website', ...more])
}

describe('key create', () => {
  it('prints the key alone on standard output, and what is to be known on standard error', async () => {
    const { exit, stdout, stderr } = await createKey(fresh('k.db'))
    expect(exit).toBe(0)
    expect(stdout).toMatch(/^csk_[\w-]{43}\n$/)
    expect(stderr).toMatch(/^id \S+; the key is shown this once\n$/)
  })

  it('keeps the key only as a hash', async () => {
    const store = fresh('k.db')
    const { stdout } = await createKey(store, '--scope', 'issue', '--role', 'staff', '--ttl', '90d')
    const key = stdout.trim()
    expect(readFileSync(store).includes(key)).toBe(false)
    const records = sqlite(store)
    const row = await records.findApiKey(await nodePlatform().hash(key))
    await records.close()
    expect(row).toMatchObject({ name: 'site', subject: 'website', scopes: ['issue'], roles: ['staff'] })
    expect((row?.expiresAtMs ?? 0) - (row?.issuedAtMs ?? 0)).toBe(90 * 86_400_000)
  })

  it('writes it to a file of its owner instead, and then shows it nowhere', async () => {
    const file = fresh('key')
    const { stdout, stderr } = await createKey(fresh('k.db'), '--out', file)
    expect(mode(file)).toBe('600')
    const key = readFileSync(file, 'utf8').trim()
    expect(key).toMatch(/^csk_/)
    expect(`${stdout}${stderr}`).not.toContain(key)
  })

  it('overwrites no file, and leaves no key behind that nobody has', async () => {
    const store = fresh('k.db')
    const file = fresh('key')
    writeFileSync(file, 'precious')
    const { exit, stderr } = await createKey(store, '--out', file)
    expect(exit).toBe(1)
    expect(stderr).toContain(`${file} exists already and is not overwritten`)
    expect(readFileSync(file, 'utf8')).toBe('precious')
    expect((await countersign(['key', 'list', '--json', '--store', store])).stdout).toBe('{"keys":[]}\n')
  })

  it('refuses an unknown scope', async () => {
    const { exit, stderr } = await createKey(fresh('k.db'), '--scope', 'everything')
    expect(exit).toBe(2)
    expect(stderr).toContain('--scope "everything": one of connect, issue, revoke')
  })

  it('refuses a subject whose account is disabled', async () => {
    const store = fresh('k.db')
    await countersign(['user', 'add', 'website', '--password-stdin', '--store', store], {
      stdin: 'a long enough one\n',
    })
    await countersign(['user', 'disable', 'website', '--store', store])
    const { exit, stderr } = await createKey(store)
    expect(exit).toBe(1)
    expect(stderr).toContain('website is disabled')
  })
})

describe('key list and key revoke', () => {
  it('list keys without their secrets, and end them by id', async () => {
    const store = fresh('k.db')
    const created = await createKey(store, '--json')
    const { id, key } = JSON.parse(created.stdout) as { readonly id: string; readonly key: string }
    const listed = await countersign(['key', 'list', '--store', store])
    expect(listed.stdout).toMatch(
      new RegExp(`^ID +NAME +SUBJECT +SCOPES +ROLES +EXPIRES\n${id} +site +website +connect +- +never\n$`),
    )
    expect(listed.stdout).not.toContain(key)
    const revoked = await countersign(['key', 'revoke', id, '--json', '--store', store])
    expect(JSON.parse(revoked.stdout)).toEqual({ id, name: 'site', revoked: true })
    const records = sqlite(store)
    expect(await records.findApiKey(await nodePlatform().hash(key))).toBeUndefined()
    await records.close()
  })

  it('fail for an id that is none', async () => {
    const store = fresh('k.db')
    await createKey(store)
    const { exit, stderr } = await countersign(['key', 'revoke', 'nothing', '--store', store])
    expect(exit).toBe(1)
    expect(stderr).toContain('there is no key "nothing"; "countersign key list" shows the ids')
  })
})

describe('ticket mint', () => {
  it('prints a ticket that opens once at the named guard', async () => {
    const store = fresh('t.db')
    await createKey(store)
    const args = [
      'ticket',
      'mint',
      '--store',
      store,
      '--subject',
      'alice',
      '--audience',
      'chat',
      '--role',
      'member',
      '--ttl',
      '10s',
    ]
    const { exit, stdout, stderr } = await countersign(args)
    expect(exit).toBe(0)
    expect(stdout).toMatch(/^cst_[\w-]{43}\n$/)
    expect(stderr).toBe('good once within 10s, at servers that share this database\n')
    const records = sqlite(store)
    const key = await nodePlatform().hash(stdout.trim())
    expect(await records.takeTicket(key)).toMatchObject({
      subject: 'alice',
      audience: 'chat',
      roles: ['member'],
    })
    expect(await records.takeTicket(key)).toBeUndefined()
    await records.close()
  })

  it('takes the roles of the account where none are given', async () => {
    const store = fresh('t.db')
    await countersign(['user', 'add', 'alice', '--role', 'staff', '--password-stdin', '--store', store], {
      stdin: 'a long enough one\n',
    })
    const { stdout } = await countersign([
      'ticket',
      'mint',
      '--json',
      '--store',
      store,
      '--subject',
      'alice',
      '--audience',
      'chat',
    ])
    expect(JSON.parse(stdout)).toMatchObject({
      subject: 'alice',
      roles: ['staff'],
      expires_in: 30,
      ticket: expect.stringMatching(/^cst_/),
    })
  })

  it('makes no database: nothing would share it', async () => {
    const store = fresh('t.db')
    const { exit } = await countersign([
      'ticket',
      'mint',
      '--store',
      store,
      '--subject',
      'a',
      '--audience',
      'b',
    ])
    expect(exit).toBe(4)
    expect(existsSync(store)).toBe(false)
  })
})

describe('cert', () => {
  it('makes an authority and a client certificate that it vouches for, keys for their owner alone', async () => {
    const pki = fresh('pki')
    const ca = await countersign([
      'cert',
      'ca',
      '--out',
      pki,
      '--name',
      'Test authority',
      '--days',
      '30',
      '--json',
    ])
    const client = await countersign([
      'cert',
      'client',
      '--ca',
      pki,
      '--name',
      'alice',
      '--days',
      '7',
      '--json',
    ])
    expect([ca.exit, client.exit]).toEqual([0, 0])
    expect([mode(join(pki, 'ca.key')), mode(join(pki, 'alice.key')), mode(join(pki, 'alice.pem'))]).toEqual([
      '600',
      '600',
      '644',
    ])
    const authority = new X509Certificate(readFileSync(join(pki, 'ca.pem')))
    const certificate = new X509Certificate(readFileSync(join(pki, 'alice.pem')))
    expect(certificate.subject).toBe('CN=alice')
    expect(certificate.verify(authority.publicKey)).toBe(true)
    const told = JSON.parse(client.stdout) as { readonly fingerprint: string }
    expect(told.fingerprint).toBe(certificate.fingerprint256.replaceAll(':', '').toLowerCase())
  })

  it('overwrites nothing', async () => {
    const pki = fresh('pki')
    await countersign(['cert', 'ca', '--out', pki])
    const before = readFileSync(join(pki, 'ca.key'), 'utf8')
    const { exit, stderr } = await countersign(['cert', 'ca', '--out', pki])
    expect(exit).toBe(1)
    expect(stderr).toContain('exists already and is not overwritten')
    expect(readFileSync(join(pki, 'ca.key'), 'utf8')).toBe(before)
  })

  it.each(['../escape', 'a/b', '.hidden', 'ca', ''])(
    'refuses the name %j, which would wander or overwrite',
    async (name) => {
      const pki = fresh('pki')
      await countersign(['cert', 'ca', '--out', pki])
      expect((await countersign(['cert', 'client', '--ca', pki, '--name', name])).exit).toBe(2)
    },
  )

  it('says what is missing where there is no authority', async () => {
    const { exit, stderr } = await countersign([
      'cert',
      'client',
      '--ca',
      fresh('nowhere'),
      '--name',
      'alice',
    ])
    expect(exit).toBe(4)
    expect(stderr).toContain('ca.pem: there is no such file or folder')
  })

  it('quotes nothing of a key that it cannot read', async () => {
    const pki = fresh('pki')
    await countersign(['cert', 'ca', '--out', pki])
    writeFileSync(
      join(pki, 'ca.key'),
      '-----BEGIN PRIVATE KEY-----\nc2VjcmV0LXNlY3JldA==\n-----END PRIVATE KEY-----\n',
    )
    const { exit, stderr } = await countersign(['cert', 'client', '--ca', pki, '--name', 'alice'])
    expect(exit).toBe(1)
    expect(stderr).toContain('are no authority made by "countersign cert ca"')
    expect(stderr).not.toContain('c2VjcmV0')
  })
})
