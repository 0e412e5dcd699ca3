import type { Server } from 'node:http'
import { createGuard, cookie, memory } from 'countersign'
import { session } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import type { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [session({ from: cookie('__Host-countersign-frame'), purposes: ['frame'] })],
})

export const protect = (server: Server, wss: WebSocketServer): (() => void) =>
  guardUpgrades(server, wss, guard)
