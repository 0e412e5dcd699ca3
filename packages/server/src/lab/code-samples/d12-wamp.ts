import { createServer } from 'node:http'
import { createGuard, memory, wampHello } from 'countersign'
import { wampcra, wampcraUsers } from 'countersign/methods'
import { nodePlatform } from 'countersign/platform/node'
import { Router, ruleOf } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { wampWebSockets } from 'countersign/wamp/ws'

const platform = nodePlatform()
const joe = { secret: 'secret2', role: 'frontend' }
const users = wampcraUsers({ joe }, (secret, how) => platform.derive(secret, how))
const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  accept: [wampcra({ from: wampHello(), sources: [users] })],
})

const allow = { call: true, register: true, publish: true, subscribe: true }
const disclose = { caller: false, publisher: false }
const rules = [{ ...ruleOf('com.example.*'), allow, disclose, cache: true }]
const realms = [{ name: 'realm1', roles: [{ name: 'frontend', rules }] }]
const router = new Router({ realms }, nodeRouterPorts())

const server = createServer()
server.on('upgrade', wampWebSockets(router, { guard }).upgrade)
await users.ready
server.listen(8080)

// In the page: new autobahn.Connection({ url, realm: 'realm1', authmethods: ['wampcra'], authid: 'joe',
//   onchallenge: (_session, _method, extra) => autobahn.auth_cra.sign(secret, extra.challenge) })
