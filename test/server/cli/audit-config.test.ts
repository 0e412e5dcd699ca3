import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAuditConfig } from '../../../packages/server/src/cli/audit-config.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-config-'))
  for (const name of ['ca', 'mira', 'mira-key']) writeFileSync(join(folder, `${name}.pem`), `PEM of ${name}`)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const read = (text: string): ReturnType<typeof parseAuditConfig> =>
  parseAuditConfig(join(folder, 'audit.yaml'), text, { FORM: 'user=mira&password=of-mira' })

describe('the configuration of an audit', () => {
  it('reads the certificate of an identity apart from what every connection shows', () => {
    const reading = read(`tls: { ca: ca.pem }
identities:
  low:
    tls: { cert: mira.pem, key: mira-key.pem }
  high:
    cookie: sid=1
`)
    expect(reading).toMatchObject({
      kind: 'config',
      config: {
        options: {
          tls: { ca: 'PEM of ca' },
          identities: {
            low: { tls: { cert: 'PEM of mira', key: 'PEM of mira-key' } },
            high: { cookie: 'sid=1' },
          },
        },
      },
    })
  })

  it('says where a file is named that cannot be read', () => {
    const reading = read('identities:\n  high:\n    tls:\n      cert: mira.pem\n      key: nowhere.pem\n')
    expect(reading).toMatchObject({
      kind: 'wrong',
      findings: [{ line: 5, message: 'nowhere.pem cannot be read' }],
    })
  })

  it('takes the body of a step from the environment, and names of letters, digits and underscores', () => {
    const step = (name: string): string =>
      `identities: { low: { steps: [{ url: /in, body: { env: FORM }, take: { ${name}: { pattern: 'k=(.+)' } } }] } }\n`
    expect(read(step('my_key'))).toMatchObject({
      kind: 'config',
      config: { options: { identities: { low: { steps: [{ body: 'user=mira&password=of-mira' }] } } } },
    })
    expect(read(step('my-key'))).toMatchObject({ kind: 'wrong' })
    expect(read(step('my_key').replace('(.+)', '(.+'))).toMatchObject({ kind: 'wrong' })
  })
})
