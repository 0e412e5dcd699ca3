import type { Server } from 'node:https'
import { createGuard, memory, tls } from 'countersign'
import { certificate } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import type { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  accept: [
    certificate({
      from: tls(),
      subjects: ({ commonName }) =>
        commonName === undefined ? undefined : { subject: commonName, roles: ['member'] },
    }),
  ],
})

/** `server` was made with `requestCert: true` and the authority's certificate as `ca`, on a port of its own. */
export const protect = (server: Server, wss: WebSocketServer): (() => void) =>
  guardUpgrades(server, wss, guard)
