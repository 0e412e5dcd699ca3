/** The lab's demo accounts. Their secrets are published on purpose: the lab listens on loopback only. */
import type { DemoAccount } from '../server/site-options.ts'

/** Who can log in. API keys are made when the lab starts. */
export const demoAccounts: readonly Omit<DemoAccount, 'api_key'>[] = [
  { username: 'alice', password: 'alice-in-the-lab', roles: ['user'] },
  { username: 'bob', password: 'bob-in-the-lab', roles: ['user'] },
  { username: 'carol', password: 'carol-in-the-lab', roles: ['admin'] },
]

/** Demo secrets for challenge-response: authids, and how their keys are made. */
export const demoSecrets = {
  plain: { authid: 'alice', subject: 'alice', secret: 'open-sesame-plain' },
  salted: {
    authid: 'bob',
    subject: 'bob',
    secret: 'open-sesame-salted',
    salt: 'salt-of-the-lab-1',
    iterations: 100_000,
    keylen: 32,
  },
} as const
