/** What every store promises. */
import type { Records } from '../core/records.ts'
import { accountKeyCases } from './records-account-keys.ts'
import { accountCases } from './records-accounts.ts'
import { markCases } from './records-marks.ts'
import { secretCases } from './records-secrets.ts'
import { sessionCases } from './records-sessions.ts'
import { sampleSpent, spentCases } from './records-spent.ts'
import { ticketCases } from './records-tickets.ts'
import { expectEqual, type SuiteCase } from './suite.ts'
import {
  sampleAccount,
  sampleApiKey,
  sampleGrant,
  sampleMark,
  samplePublicKey,
  sampleScramKey,
  sampleSecret,
  sampleSession,
  sampleTicket,
} from './rows.ts'

/** A store under test, empty. */
export interface OpenedRecords {
  readonly records: Records
  /** Closes the store and removes what it kept. */
  close(): Promise<void>
  /** Closes the store and opens it again over the same data; absent where data ends with the process. */
  reopen?(): Promise<Records>
}

/** Behaviours by name; each gets an empty store. */
export type RecordsCases = Readonly<Record<string, (records: Records) => Promise<void>>>

/**
 * The contract of `Records`, for a store of anyone's. Give each case to your test framework:
 * `for (const { name, run } of recordsSuite(open)) test(name, run)`.
 * @param open makes an empty store for one case
 */
export function recordsSuite(open: () => Promise<OpenedRecords>): readonly SuiteCase[] {
  const cases = {
    ...ticketCases,
    ...sessionCases,
    ...accountCases,
    ...accountKeyCases,
    ...secretCases,
    ...spentCases,
    ...markCases,
  }
  const behaviours = Object.entries(cases).map(([name, run]) =>
    caseOf(name, open, ({ records }) => run(records)),
  )
  return [
    ...behaviours,
    caseOf('keeps what was put, taken and ended over a restart', open, overRestart),
    caseOf('keeps the keys of accounts over a restart', open, accountKeysOverRestart),
  ]
}

/** Every case has a store of its own, and closes it however it ends. */
function caseOf(
  name: string,
  open: () => Promise<OpenedRecords>,
  behave: (opened: OpenedRecords) => Promise<void>,
): SuiteCase {
  return {
    name,
    async run() {
      const opened = await open()
      try {
        await behave(opened)
      } finally {
        await opened.close()
      }
    },
  }
}

/** Where nothing survives by design there is nothing to hold. */
async function overRestart(opened: OpenedRecords): Promise<void> {
  if (opened.reopen === undefined) return
  const { records } = opened
  const ticket = sampleTicket()
  const kept = {
    session: sampleSession(),
    apiKey: sampleApiKey(),
    account: sampleAccount(),
    secret: sampleSecret(),
  }
  const gone = { session: sampleSession(), apiKey: sampleApiKey(), secret: sampleSecret() }
  await records.putTicket(ticket)
  await records.takeTicket(ticket.key)
  for (const { session, apiKey, secret } of [kept, gone]) {
    await records.putSession(session)
    await records.putApiKey(apiKey)
    await records.putChallengeSecret(secret)
  }
  await records.putAccount(kept.account)
  await records.endSessions(gone.session.root)
  await records.endApiKey(gone.apiKey.id)
  await records.takeChallengeSecret(gone.secret.authid)
  await records.putMark(sampleMark())
  const used = sampleSpent()
  await records.putSpent(used)

  const again = await opened.reopen()
  expectEqual(await again.takeTicket(ticket.key), undefined, 'the ticket that was taken')
  expectEqual(await again.findSession(kept.session.key), kept.session, 'the session that was kept')
  expectEqual(await again.findSession(gone.session.key), undefined, 'the session that was ended')
  expectEqual(await again.listApiKeys(), [kept.apiKey], 'the API keys')
  expectEqual(await again.listAccounts(), [kept.account], 'the accounts')
  expectEqual(await again.findChallengeSecret(kept.secret.authid), kept.secret, 'the secret that was kept')
  expectEqual(await again.findChallengeSecret(gone.secret.authid), undefined, 'the secret that was taken')
  expectEqual(await again.findMark(sampleGrant(), 'l'), sampleMark(), 'the mark')
  expectEqual(await again.putSpent(used), false, 'what was used')
}

/** As `overRestart`. */
async function accountKeysOverRestart(opened: OpenedRecords): Promise<void> {
  if (opened.reopen === undefined) return
  const { records } = opened
  const kept = { scramKey: sampleScramKey(), publicKey: samplePublicKey() }
  const gone = { scramKey: sampleScramKey({ username: 'bob' }), publicKey: samplePublicKey() }
  for (const { scramKey, publicKey } of [kept, gone]) {
    await records.putScramKey(scramKey)
    await records.addPublicKey(publicKey)
  }
  await records.endScramKey(gone.scramKey.username)
  await records.endPublicKey(gone.publicKey.username, gone.publicKey.publicKey)

  const again = await opened.reopen()
  expectEqual(await again.findScramKey('alice'), kept.scramKey, 'the SCRAM keys that were kept')
  expectEqual(await again.findScramKey('bob'), undefined, 'the SCRAM keys that were ended')
  expectEqual(await again.listPublicKeys('alice'), [kept.publicKey], 'the public keys')
}
