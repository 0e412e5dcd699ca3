import type { Server } from 'node:http'
import { authorization, createGuard, memory } from 'countersign'
import { apiKey, password } from 'countersign/methods'
import { argon2Passwords } from 'countersign/platform/node'
import { guardUpgrades } from 'countersign/ws'
import type { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  passwords: argon2Passwords(),
  origins: [], // no page may knock here
  accept: [apiKey({ from: authorization('Bearer') }), password({ from: authorization('Basic') })],
})

export const protect = (server: Server, wss: WebSocketServer): (() => void) =>
  guardUpgrades(server, wss, guard)
