import type { Server } from 'node:http'
import { createGuard, challengeFrames, memory } from 'countersign'
import { wampcra } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import type { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [wampcra({ from: challengeFrames() })],
})

export const protect = (server: Server, wss: WebSocketServer): (() => void) =>
  guardUpgrades(server, wss, guard)
