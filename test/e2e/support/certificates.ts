import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Certificates for one test, made by openssl in its folder. */
export interface Certificates {
  readonly authorityFile: string
  readonly authority: Buffer
  readonly server: { readonly key: Buffer; readonly cert: Buffer }
  readonly client: { readonly p12File: string; readonly password: string }
}

/** Makes an authority, a server certificate for `localhost` and 127.0.0.1 and a client certificate whose common name is `alice`. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string): string => join(folder, name)
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '2']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test authority')
  writeFileSync(
    file('server.ext'),
    'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n',
  )
  writeFileSync(file('client.ext'), 'extendedKeyUsage=clientAuth\n')
  for (const [name, subject] of [
    ['server', 'localhost'],
    ['client', 'alice'],
  ] as const) {
    const request = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-noenc',
      '-subj',
      `/CN=${subject}`,
    ]
    openssl('req', ...request, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2']
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...signing,
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    )
  }
  const password = 'only for this test'
  const bundle = [
    '-in',
    'client.pem',
    '-inkey',
    'client.key',
    '-out',
    'client.p12',
    '-passout',
    `pass:${password}`,
  ]
  openssl('pkcs12', '-export', ...bundle)
  return {
    authorityFile: file('ca.pem'),
    authority: readFileSync(file('ca.pem')),
    server: { key: readFileSync(file('server.key')), cert: readFileSync(file('server.pem')) },
    client: { p12File: file('client.p12'), password },
  }
}
