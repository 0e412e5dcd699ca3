import { createServer } from 'node:http'
import { createGuard, memory, wampBearer, wampHello } from 'countersign'
import { anonymous, wampTicket } from 'countersign/methods'
import { argon2Passwords } from 'countersign/platform/node'
import { Router, ruleOf } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { wampWebSockets } from 'countersign/wamp/ws'

const guard = createGuard({
  records: memory(),
  passwords: argon2Passwords(),
  origins: ['https://app.example.com'],
  audience: 'realm1',
  accept: [wampTicket({ from: wampBearer() }), anonymous({ from: wampHello() })],
})

const allow = { call: true, register: true, publish: true, subscribe: true }
const listen = { call: false, register: false, publish: false, subscribe: true }
const rest = { disclose: { caller: false, publisher: false }, cache: true }
const user = { name: 'user', rules: [{ ...ruleOf('com.example.*'), allow, ...rest }] }
const nobody = { name: 'anonymous', rules: [{ ...ruleOf('com.example.notice'), allow: listen, ...rest }] }
const router = new Router({ realms: [{ name: 'realm1', roles: [user, nobody] }] }, nodeRouterPorts())

const server = createServer()
server.on('upgrade', wampWebSockets(router, { guard }).upgrade)
server.listen(8080)

/** For a page that has logged in: single-use, for this name and this router. */
export const ticketFor = async (subject: string): Promise<string> =>
  (await guard.issue.ticket({ subject, roles: ['user'] })).ticket
