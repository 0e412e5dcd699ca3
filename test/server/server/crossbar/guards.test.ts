import { localBus, Lockout, memory, type Handshake } from 'countersign'
import { nodePlatform, rejectingPasswords } from 'countersign/platform/node'
import { Router } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { describe, expect, it } from 'vitest'
import { functionLoader } from '../../../../packages/server/src/server/crossbar/functions.ts'
import {
  cookieStores,
  openGate,
  type GuardShared,
} from '../../../../packages/server/src/server/crossbar/guards.ts'
import { transportsOf } from '../../../../packages/server/src/server/crossbar/mount-realms.ts'
import { node, nodeOf, websocket } from './mounted.ts'

const handshake: Handshake = {
  target: '/',
  host: 'localhost',
  origin: undefined,
  cookie: undefined,
  authorization: undefined,
  subprotocol: undefined,
  remoteAddress: '203.0.113.7',
  secure: false,
  certificate: undefined,
}

function shared(dangerouslyAllowCleartext: boolean): GuardShared {
  return {
    records: memory(),
    platform: nodePlatform(),
    passwords: rejectingPasswords,
    journal: { record: () => undefined },
    bus: localBus(),
    guesses: new Lockout(),
    decoyKey: new Uint8Array(32),
    functions: functionLoader('/'),
    cookies: cookieStores(() => 0),
    dangerouslyAllowCleartext,
  }
}

describe('tickets in clear', () => {
  it.each([
    [{}, false, true],
    [{ secure: true }, true, true],
    [{ remoteAddress: '127.0.0.1' }, true, true],
  ])('from %j are taken: %s; where cleartext is allowed: %s', async (facts, otherwise, allowed) => {
    const ticket = { ticket: { type: 'static', principals: { joe: { ticket: 'abc', role: 'frontend' } } } }
    const [listener] = nodeOf(node([websocket(ticket)]), '/').routers[0]?.listeners ?? []
    const [place] = listener === undefined ? [] : transportsOf(listener)
    if (place === undefined) throw new Error('no transport')
    const router = new Router({ realms: [{ name: 'realm1', roles: [] }] }, nodeRouterPorts())
    const mayCarry = async (cleartext: boolean, unix = false): Promise<boolean> => {
      const gate = await openGate(place, { shared: shared(cleartext), router, name: 'test', unix })
      return gate.guard.mayCarryBearer({ ...handshake, ...facts })
    }
    expect([await mayCarry(false), await mayCarry(true), await mayCarry(false, true)]).toEqual([
      otherwise,
      allowed,
      true,
    ])
  })
})
