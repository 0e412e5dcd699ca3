/** A page that carries the secret of D13 in its own HTML, for servers that render their pages themselves. */
import type { Guard } from 'countersign'
import type { FastifyReply } from 'fastify'
import { issuedHeaders } from '../server/headers.ts'
import type { LoginSession } from '../server/site-options.ts'
import { docsOfDoor } from './cases/doors.ts'
import { hasDocs } from './docs-pages.ts'
import { renderLoginSecret } from './page/login-secret-page.ts'

/** What the page stands on. */
export interface LoginSecretOptions {
  readonly issuer: Guard
  /** Where D13 listens. */
  readonly doorUrl: string
  readonly session: LoginSession
  /** When the session was looked up: what was revoked since then ends the secret, too. */
  readonly provedAtMs: number
}

/**
 * Sends the page with a name and a secret made for this load. They end with the login.
 * The site compresses nothing, so the length of the answer tells nothing of the secret (BREACH).
 */
export async function answerLoginSecret(
  reply: FastifyReply,
  { issuer, doorUrl, session, provedAtMs }: LoginSecretOptions,
): Promise<FastifyReply> {
  const { subject, roles, id, endsAtMs } = session
  const ttlMs = Math.max(1, endsAtMs - Date.now())
  const given = await issuer.issue.challengeSecret({
    subject,
    roles,
    session: id,
    provedAtMs,
    uses: 'session',
    ttlMs,
  })
  const docs = hasDocs ? `/${docsOfDoor('D13')}` : undefined
  return reply
    .headers(issuedHeaders)
    .type('text/html; charset=utf-8')
    .send(renderLoginSecret({ given, doorUrl, docs }))
}
