import { createServer } from 'node:http'
import { createGuard, memory, wampHello } from 'countersign'
import { accounts, wampcra } from 'countersign/methods'
import { Router, ruleOf } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { wampWebSockets } from 'countersign/wamp/ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  accept: [wampcra({ from: wampHello(), sources: [accounts()] })],
})

const allow = { call: true, register: true, publish: true, subscribe: true }
const disclose = { caller: false, publisher: false }
const rules = [{ ...ruleOf('com.example.*'), allow, disclose, cache: true }]
const realms = [{ name: 'realm1', roles: [{ name: 'user', rules }] }]
const router = new Router({ realms }, nodeRouterPorts())

const server = createServer()
server.on('upgrade', wampWebSockets(router, { guard }).upgrade)
server.listen(8080)

/** At login: name and secret for this page, which hands them to its WAMP client. The router says goodbye at logout. */
export const secretFor = async (
  subject: string,
  session: string,
): Promise<{ authid: string; secret: string }> =>
  guard.issue.challengeSecret({ subject, session, roles: ['user'] })
