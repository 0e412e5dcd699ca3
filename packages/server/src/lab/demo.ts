/** Fills the lab's records with its demo accounts, keys and challenge secrets. */
import type { Guard, PasswordHasher, Records } from 'countersign'
import type { DemoAccount } from '../server/site-options.ts'
import { demoAccounts, demoSecrets } from './accounts.ts'

/** What the demo is made with. */
export interface DemoOptions {
  readonly records: Records
  readonly passwords: PasswordHasher
  readonly issuer: Guard
}

/** Longer than any lab runs. */
const demoLifeMs = 365 * 86_400_000

/** Makes accounts and API keys. @returns the accounts with their fresh keys, to be shown */
export async function createDemoAccounts(options: DemoOptions): Promise<readonly DemoAccount[]> {
  const accounts: DemoAccount[] = []
  for (const { username, password, roles } of demoAccounts) {
    const passwordHash = await options.passwords.hash(password)
    await options.records.putAccount({
      username,
      roles,
      passwordHash,
      disabled: false,
      changedAtMs: Date.now(),
    })
    const { key } = await options.issuer.issue.apiKey({
      subject: username,
      name: `lab ${username}`,
      roles,
      scopes: roles.includes('admin') ? ['connect', 'issue', 'revoke'] : ['connect'],
    })
    accounts.push({ username, password, api_key: key, roles })
  }
  await issueDemoSecrets(options.issuer)
  return accounts
}

/** One plain and one salted, as documentation shows them: whoever copies from there can try them here. */
async function issueDemoSecrets(issuer: Guard): Promise<void> {
  const { plain, salted } = demoSecrets
  const life = { roles: ['user'], ttlMs: demoLifeMs }
  await issuer.issue.challengeSecret({
    ...life,
    subject: plain.subject,
    authid: plain.authid,
    secret: plain.secret,
  })
  const { salt, iterations, keylen } = salted
  await issuer.issue.challengeSecret({
    ...life,
    subject: salted.subject,
    authid: salted.authid,
    secret: salted.secret,
    salting: { salt, iterations, keylen },
  })
}
