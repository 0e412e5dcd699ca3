import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countersign } from './support/program.ts'

const pki = mkdtempSync(join(tmpdir(), 'countersign-p12-'))
beforeAll(async () => {
  expect(await countersign(['cert', 'ca', '--out', pki])).toMatchObject({ code: 0 })
})
afterAll(() => rmSync(pki, { recursive: true, force: true }))

/** Opens a PKCS #12 file with openssl, as a browser would. @returns what is in it, as PEM */
function unpack(file: string, password: string): string {
  const args = ['pkcs12', '-in', file, '-nodes', '-passin', 'stdin']
  return execFileSync('openssl', args, { input: password, encoding: 'utf8', stdio: 'pipe' })
}

describe('cert client', () => {
  it('packs a PKCS #12 file under a password that is shown once', async () => {
    const args = ['cert', 'client', '--ca', pki, '--name', 'alice', '--p12', '--json']
    const told = JSON.parse((await countersign(args)).stdout) as {
      readonly p12: string
      readonly p12_password: string
    }
    expect(statSync(told.p12).mode & 0o777).toBe(0o600)
    expect(unpack(told.p12, told.p12_password)).toContain('BEGIN PRIVATE KEY')
  })

  it('takes the password of that file from standard input, and does not repeat it', async () => {
    const stdin = 'my own password\n'
    const args = ['cert', 'client', '--ca', pki, '--name', 'bob', '--p12-password-stdin']
    const { code, stdout, stderr } = await countersign(args, { stdin })
    expect(code).toBe(0)
    expect(`${stdout}${stderr}`).not.toContain(stdin.trim())
    expect(unpack(join(pki, 'bob.p12'), stdin.trim())).toContain('BEGIN PRIVATE KEY')
  })
})
