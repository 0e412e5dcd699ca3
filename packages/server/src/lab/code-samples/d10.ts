import type { Server } from 'node:http'
import { createGuard, query, memory } from 'countersign'
import { ticket } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import type { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [ticket({ from: query('ticket') })],
})

export const protect = (server: Server, wss: WebSocketServer): (() => void) =>
  guardUpgrades(server, wss, guard)

/** In the API call that the client makes first. */
export const connectUrl = async (subject: string): Promise<string> => {
  const { ticket: token } = await guard.issue.ticket({ subject })
  return `wss://ws.example.com/?ticket=${token}`
}
