import type { Server } from 'node:http'
import { authorization, createGuard, memory } from 'countersign'
import { password, ticket } from 'countersign/methods'
import { argon2Passwords } from 'countersign/platform/node'
import { guardUpgrades } from 'countersign/ws'
import type { WebSocketServer } from 'ws'

const from = authorization('Basic')
const guard = createGuard({
  records: memory(),
  passwords: argon2Passwords(),
  origins: ['https://app.example.com'],
  refusals: 'http', // browsers send user information only after a 401
  accept: [ticket({ from }), password({ from })],
})

export const protect = (server: Server, wss: WebSocketServer): (() => void) =>
  guardUpgrades(server, wss, guard)
