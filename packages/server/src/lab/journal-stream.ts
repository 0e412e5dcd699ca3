/** `/lab/journal`: the security journal as server-sent events, for those who are logged in and as long as they are. */
import type { JournalEntry } from 'countersign'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { SiteJournal } from '../server/journal.ts'
import { refuse } from '../server/refuse.ts'

/** Proxies close connections that are silent for long; a comment is silence to the reader. */
const keepAliveMs = 15_000
/** Readers at once; the next one gets 503. */
const maxReaders = 64
/** A reader that lets this many bytes pile up is gone. */
const maxUnreadBytes = 262_144
/** Entries that a new reader is told first. */
const keptEntries = 50

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const

/**
 * Registers the route on a site made by `createSite`. Nobody else reads who came, from where and with what result.
 * @param now clock of the site [the system's]
 */
export function serveJournal(app: FastifyInstance, journal: SiteJournal, now: () => number = Date.now): void {
  const readers = new Set<FastifyReply>()
  app.get('/lab/journal', { exposeHeadRoute: false }, async (request, reply) => {
    const session = await app.site.session(request)
    if (session === undefined) return refuse(reply, 'missing_credential')
    if (readers.size >= maxReaders) return refuse(reply, 'overloaded')
    if (reply.raw.destroyed) return reply.hijack()
    readers.add(reply)
    reply.raw.once('close', () => readers.delete(reply))
    return stream(journal, { app, request, reply, leftMs: session.endsAtMs - now() })
  })
}

interface Reader {
  readonly app: FastifyInstance
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** How long the session lasts at most, ms. */
  readonly leftMs: number
}

/** The latest entries, then each as it happens, until the reader leaves or its login ends. */
function stream(journal: SiteJournal, reader: Reader): FastifyReply {
  const { reply, leftMs } = reader
  const { raw } = reply.hijack()
  raw.writeHead(200, headers)
  const write = (text: string): void => {
    if (raw.writableLength > maxUnreadBytes) raw.destroy()
    else raw.write(text)
  }
  const send = (entry: JournalEntry): void => {
    write(`data: ${JSON.stringify(entry)}\n\n`)
    // Asked only then: to ask is to use the session, which would never fall idle.
    if (entry.kind === 'revoked') void endIfLoggedOut(reader)
  }
  for (const entry of journal.recent().slice(-keptEntries)) write(`data: ${JSON.stringify(entry)}\n\n`)
  const stop = journal.subscribe(send)
  const timers = [setInterval(write, keepAliveMs, ': still here\n\n'), setTimeout(() => raw.end(), leftMs)]
  raw.once('close', () => {
    stop()
    for (const timer of timers) clearTimeout(timer)
  })
  return reply
}

/** A revocation may have been this reader's own. */
async function endIfLoggedOut({ app, request, reply }: Reader): Promise<void> {
  try {
    if ((await app.site.session(request)) === undefined) reply.raw.end()
  } catch {
    // Whether it may read on cannot be known: then it may not.
    reply.raw.end()
  }
}
