/** A guarded server for the library's own clients: it echoes, counts their attempts, and loses or revokes them when told. */
import type { Server } from 'node:http'
import { createGuard, firstMessage, memory, query, type Guard } from 'countersign'
import { jwt, localJwks, hmacSecret, ticket } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import type { WebSocketServer } from 'ws'
import { applications } from './applications.ts'
import { monotonicMs } from './clock.ts'
import { mintAll, type GuardedSide } from './guarded.ts'
import { audience, issuer, origin, type Attempts, type TokenKey } from './protocol.ts'

/** What a bench does with such a server. */
export interface ClientSite {
  readonly mint: GuardedSide['mint']
  attempts(): Attempts
  revoke(subject: string): Promise<{ readonly atMs: number }>
  loseAndRevoke(subject: string): Promise<{ readonly atMs: number }>
  shutDown(): { readonly atMs: number }
}

/** Guards upgrades of any path. Tickets come in the query, tokens in the first message. */
export function serveClients(server: Server, wss: WebSocketServer, key: TokenKey): ClientSite {
  const client: number[] = []
  const atMs: number[] = []
  server.on('upgrade', ({ url = '' }) => {
    client.push(Number(new URLSearchParams(url.split('?')[1]).get('client')))
    atMs.push(monotonicMs())
  })
  wss.on('connection', applications.echo)
  const guard = guardOf(key)
  guardUpgrades(server, wss, guard)
  const revoke = async (subject: string): Promise<{ readonly atMs: number }> => {
    const revokedAtMs = monotonicMs()
    await guard.revoke({ subject })
    return { atMs: revokedAtMs }
  }
  return {
    mint: (order) => mintAll(guard, order),
    attempts: () => ({ client, atMs }),
    revoke,
    loseAndRevoke(subject) {
      for (const socket of wss.clients) socket.terminate()
      return revoke(subject)
    },
    shutDown() {
      const endedAtMs = monotonicMs()
      guard.close()
      return { atMs: endedAtMs }
    },
  }
}

/** A crowd comes from one address: as many may wait and talk as there are. */
function guardOf({ algorithm, jwk }: TokenKey): Guard {
  const room = 20_000
  const key = Buffer.from(jwk['k'] ?? '', 'base64url')
  return createGuard({
    records: memory(),
    audience,
    origins: [origin],
    limits: {
      handshakesPerSecond: 1e9,
      pool: { total: room, perSource: room, perSubnet: room, talking: room },
    },
    accept: [
      ticket({ from: query('ticket') }),
      jwt({
        from: firstMessage(),
        issuer,
        audience,
        algorithms: [algorithm],
        keys: algorithm === 'HS256' ? hmacSecret(key) : localJwks({ keys: [jwk] }),
      }),
    ],
  })
}
