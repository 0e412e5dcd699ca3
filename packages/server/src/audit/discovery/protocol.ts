/** What is spoken on an endpoint, by what it selects and says of itself. */
import { headerOf } from '../answer.ts'
import type { Protocol } from '../target.ts'
import { Visit, type VisitNeeds } from '../visit.ts'

/** The first is nobody's: servers that select whatever is offered first say nothing by it. */
const offered = ['countersign-audit.nonsense', 'graphql-transport-ws', 'graphql-ws', 'wamp.2.json']

const spoken: Readonly<Record<string, Protocol>> = {
  'graphql-transport-ws': 'graphql-transport-ws',
  'graphql-ws': 'graphql-ws',
  'wamp.2.json': 'wamp',
}

/** Long enough for the packet with which Engine.IO begins. */
const greetingMs = 400

/** Knocks twice as nobody. What refuses strangers is known by its path alone. */
export async function findProtocol(needs: VisitNeeds, url: URL, origin: string): Promise<Protocol> {
  const engine = new URL(url)
  engine.searchParams.set('EIO', '4')
  engine.searchParams.set('transport', 'websocket')
  if (await greetsAsEngineIo(needs, engine, origin)) return 'socket.io'
  const visit = await Visit.open(needs, { url, origins: [origin], subprotocols: offered })
  await visit.leave()
  const { answer } = visit
  const selected = answer.kind === 'answered' ? headerOf(answer.headers, 'sec-websocket-protocol') : undefined
  return spoken[selected ?? ''] ?? protocolByPath(url)
}

async function greetsAsEngineIo(needs: VisitNeeds, url: URL, origin: string): Promise<boolean> {
  const visit = await Visit.open(needs, { url, origins: [origin] })
  const first = visit.opened ? await visit.next(greetingMs) : undefined
  await visit.leave()
  return first?.kind === 'text' && first.text.startsWith('0{"sid":')
}

/** What a path makes one think. */
export function protocolByPath({ pathname }: URL): Protocol {
  if (/socket\.io/.test(pathname)) return 'socket.io'
  return /graphql|subscriptions/.test(pathname) ? 'graphql-transport-ws' : 'plain'
}
