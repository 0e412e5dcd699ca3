import type { Server } from 'node:http'
import { createGuard, cookie, query, memory } from 'countersign'
import { preauth } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import type { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [preauth({ from: cookie('__Host-preauth'), csrf: query('csrf') })],
})

export const protect = (server: Server, wss: WebSocketServer): (() => void) =>
  guardUpgrades(server, wss, guard)
