/** Packs a client certificate as PKCS#12, which browsers import. Needs the program `openssl`. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KeyPairPem } from '../server/certificates.ts'

const run = promisify(execFile)

/** Password of the lab's file: browsers insist on one; it protects a demo key. */
export const labP12Password = 'countersign'

/** @returns the file's bytes, or `undefined` when openssl is not installed */
export async function packageP12(pair: KeyPairPem, authority: string): Promise<Buffer | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-p12-'))
  const path = (name: string): string => join(folder, name)
  try {
    await writeFile(path('key.pem'), pair.privateKey, { mode: 0o600 })
    await writeFile(path('cert.pem'), pair.certificate)
    await writeFile(path('ca.pem'), authority)
    const made = [
      '-inkey',
      path('key.pem'),
      '-in',
      path('cert.pem'),
      '-certfile',
      path('ca.pem'),
      '-out',
      path('out.p12'),
    ]
    await run('openssl', [
      'pkcs12',
      '-export',
      '-name',
      'countersign lab',
      '-passout',
      `pass:${labP12Password}`,
      ...made,
    ])
    return await readFile(path('out.p12'))
  } catch {
    return undefined
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
