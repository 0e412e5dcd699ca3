/**
 * The frame on the socket server's own origin: takes one ticket from the page that embeds it, exchanges it for a cookie
 * of this origin, and says whether that worked. It believes the embedding page alone, and only from a listed origin.
 */

const allowed: readonly string[] = (document.body.dataset['origins'] ?? '')
  .split(' ')
  .filter((origin) => origin !== '')

/** The message that hands over a ticket. */
function ticketOf(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('type' in data) || !('ticket' in data)) return undefined
  return data.type === 'countersign-ticket' && typeof data.ticket === 'string' ? data.ticket : undefined
}

/** Posts the ticket with the origin that the browser vouches for; the ticket is good for that origin alone. */
async function exchange(ticket: string, origin: string): Promise<boolean> {
  try {
    const answer = await fetch('/countersign/exchange', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ticket, origin }),
    })
    return answer.ok
  } catch {
    return false
  }
}

async function hear(event: MessageEvent): Promise<void> {
  if (event.source !== parent || !allowed.includes(event.origin)) return
  const ticket = ticketOf(event.data)
  if (ticket === undefined) return
  const done = await exchange(ticket, event.origin)
  parent.postMessage({ type: done ? 'countersign-frame-done' : 'countersign-frame-failed' }, event.origin)
}

/** The embedding page's origin where the engine tells it, else every listed one: a message to another origin is dropped. */
function targets(): readonly string[] {
  const [embedding] = location.ancestorOrigins ?? []
  return embedding === undefined ? allowed : allowed.filter((origin) => origin === embedding)
}

if (parent !== window) {
  addEventListener('message', (event) => void hear(event))
  for (const origin of targets()) parent.postMessage({ type: 'countersign-frame-ready' }, origin)
}
