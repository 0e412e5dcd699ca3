/** `countersign ticket mint`: one ticket, to try a door by hand. */
import { maxTicketMs } from 'countersign'
import { option, repeatable, type Command } from './command.ts'
import { durationOption, writeDuration } from './duration.ts'
import { exitCodes, usageError } from './exit-codes.ts'
import { checkSubject, issuerOver, rolesFor } from './issuer.ts'
import { storeOption, withStore } from './store.ts'

/** Mints a ticket. */
export const ticketMint: Command = {
  name: 'ticket mint',
  summary: 'Mint a single-use ticket and print it',
  words: [],
  options: {
    subject: option('NAME', 'whom it lets in (required)'),
    audience: option('NAME', 'the guard that it is for (required)'),
    role: repeatable('ROLE', 'a role [those of the account, if there is one]'),
    ttl: option(
      'TIME',
      `how long it is good for, at most ${writeDuration(maxTicketMs)} [${writeDuration(maxTicketMs)}]`,
    ),
    ...storeOption,
  },
  notes: [
    'The ticket is good at servers that use the same database file, and nowhere else.',
    'Example: countersign ticket mint --subject alice --audience chat',
  ],
  run: (call) => {
    const subject = checkSubject(call.required('subject'))
    const audience = call.required('audience')
    const ttlMs = durationOption('--ttl', call.text('ttl') ?? writeDuration(maxTicketMs))
    if (ttlMs > maxTicketMs)
      throw usageError(`--ttl ${writeDuration(ttlMs)}: a ticket lives ${writeDuration(maxTicketMs)} at most`)
    return withStore(call, 'must exist', async (records) => {
      const roles = await rolesFor(records, subject, call.texts('role'))
      const issued = await issuerOver(records).issue.ticket({ subject, audience, roles, ttlMs })
      const { ticket, id, lease } = issued
      const facts = { ticket, id, lease, subject, audience, roles, expires_in: Math.round(ttlMs / 1_000) }
      call.answer(facts, [ticket])
      if (!call.json)
        call.note(`good once within ${writeDuration(ttlMs)}, at servers that share this database`)
      return exitCodes.ok
    })
  },
}
