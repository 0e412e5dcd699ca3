import type { Server } from 'node:http'
import { createGuard, firstMessage, memory } from 'countersign'
import { apiKey, session, ticket } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import type { WebSocketServer } from 'ws'

const from = firstMessage()
const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [ticket({ from }), session({ from }), apiKey({ from })],
})

export const protect = (server: Server, wss: WebSocketServer): (() => void) =>
  guardUpgrades(server, wss, guard)
