/** Load on a WAMP router, and the same shapes on the floor: calls, publications, joins, idle sessions. */
import { createHmac } from 'node:crypto'
import { stayAwake } from './generator.ts'
import { firstId, idOf, messageFrame, PatchedFrame, type Format } from './wamp-frames.ts'
import { WampPeer } from './wamp-peer.ts'

/** Realm, principal and topics of the bench. */
export const names = {
  realm: 'bench',
  authid: 'bench',
  secret: 'bench-secret-bench-secret',
  procedure: 'com.bench.load',
  topic: 'com.bench.topic',
} as const

/** Whom the load meets: a router, or the floor, which has roles by path and no sessions. */
export interface Target {
  readonly port: number
  readonly kind: 'router' | 'floor'
  readonly format: Format
}

/** A scenario that is set up: `run` may be called again and again. */
export interface Scenario {
  /** Does this many operations. */
  run(operations: number): Promise<void>
  close(): void
}

/** Opens one socket, and a session on it where there are sessions. */
export async function join(target: Target, role: string): Promise<WampPeer> {
  if (target.kind === 'floor') return WampPeer.open(target.port, target.format, `/${role}`)
  const peer = await WampPeer.open(target.port, target.format)
  await welcome(peer, target.format)
  return peer
}

const roles = {
  caller: { features: {} },
  callee: { features: {} },
  publisher: { features: {} },
  subscriber: { features: {} },
}

/** HELLO, CHALLENGE, AUTHENTICATE, WELCOME. @throws Error when the session is not welcomed */
async function welcome(peer: WampPeer, format: Format): Promise<void> {
  const { realm, authid, secret } = names
  const hello = [1, realm, { roles, authmethods: ['wampcra'], authid }]
  const challenge = (await peer.ask(messageFrame(hello, format))).toString('utf8')
  const text = challengeText(challenge, format)
  const signature = createHmac('sha256', secret).update(text).digest('base64')
  const answer = await peer.ask(messageFrame([5, signature, {}], format))
  const welcomed = format === 'json' ? answer[1] === 0x32 && answer[2] === 0x2c : answer[1] === 2
  if (!welcomed) throw new Error(`not welcomed: ${answer.toString('utf8', 0, 120)}`)
}

/** The text to be signed: a JSON object, which stands in a JSON string or, in the binary formats, as it is. */
function challengeText(message: string, format: Format): string {
  if (format === 'json') {
    // [4, "wampcra", {"challenge": …}]: the router's own, and of this shape.
    const [, , extra] = JSON.parse(message) as [number, string, { readonly challenge: string }]
    return extra.challenge
  }
  return message.slice(message.indexOf('{"'), message.lastIndexOf('}') + 1)
}

/** Calls of `callers`, `window` of each under way, all answered by one callee. */
export async function rpc(
  target: Target,
  shape: { readonly callers: number; readonly window: number; readonly payload: string },
): Promise<Scenario> {
  const { format } = target
  const callee = await join(target, 'callee')
  if (target.kind === 'router') await callee.ask(messageFrame([64, 1, {}, names.procedure], format))
  const yielded = new PatchedFrame([70, 0, {}, [shape.payload]], format)
  const answer = yielded.with(firstId)
  callee.heard = (message) =>
    callee.send(target.kind === 'router' ? yielded.with(idOf(message, format)) : answer)
  const callers = await Promise.all(Array.from({ length: shape.callers }, () => join(target, 'caller')))
  const ids = callers.map(() => firstId)
  const call = new PatchedFrame([48, 0, {}, names.procedure, [shape.payload]], format)
  return {
    run(operations) {
      return new Promise((resolve) => {
        let sent = 0
        let left = operations
        callers.forEach((caller, at) => {
          const next = (): void => {
            if (sent >= operations) return
            sent++
            const id = (ids[at] ?? 0) + 1
            ids[at] = id
            caller.send(call.with(id))
          }
          caller.heard = () => {
            if (--left === 0) resolve()
            next()
          }
          for (let under = 0; under < shape.window; under++) next()
          caller.flush()
        })
      })
    },
    close: () => [callee, ...callers].forEach((peer) => peer.drop()),
  }
}

/** Publications to `subscribers`, `window` of them not yet delivered to all. An operation is one delivered event. */
export async function pubsub(
  target: Target,
  shape: { readonly subscribers: number; readonly window: number; readonly payload: string },
): Promise<Scenario> {
  const { format } = target
  const subscribers = await Promise.all(
    Array.from({ length: shape.subscribers }, () => join(target, 'subscriber')),
  )
  if (target.kind === 'router') {
    await Promise.all(subscribers.map((peer) => peer.ask(messageFrame([32, 1, {}, names.topic], format))))
  }
  const publisher = await join(target, 'publisher')
  const publish = new PatchedFrame([16, 0, {}, names.topic, [shape.payload]], format)
  let id = firstId
  return {
    run(operations) {
      return new Promise((resolve) => {
        const publications = Math.ceil(operations / shape.subscribers)
        let sent = 0
        let delivered = 0
        const next = (): void => {
          if (sent >= publications) return
          sent++
          publisher.send(publish.with(++id))
        }
        const heard = (): void => {
          delivered++
          if (delivered % shape.subscribers !== 0) return
          if (delivered === publications * shape.subscribers) resolve()
          else {
            next()
            publisher.flush()
          }
        }
        for (const subscriber of subscribers) subscriber.heard = heard
        for (let under = 0; under < shape.window; under++) next()
        publisher.flush()
      })
    },
    close: () => [publisher, ...subscribers].forEach((peer) => peer.drop()),
  }
}

/** Joins by WAMP-CRA, `concurrent` of them in progress. Everybody leaves as clients do: GOODBYE, then the closing handshake. */
export function joins(target: Target, concurrent: number): Scenario {
  return {
    async run(operations) {
      let begun = 0
      const one = async (): Promise<void> => {
        while (begun++ < operations) await joinOnce(target)
      }
      await Promise.all(Array.from({ length: concurrent }, one)).finally(stayAwake())
    },
    close() {
      // Nothing is held.
    },
  }
}

async function joinOnce(target: Target): Promise<void> {
  if (target.kind === 'router') {
    await leave(await join(target, 'join'))
    return
  }
  const peer = await WampPeer.open(target.port, target.format, '/join')
  await peer.ask(floorHello)
  // The same work on this side, so that the machine is as busy.
  createHmac('sha256', names.secret).update('x'.repeat(230)).digest('base64')
  await peer.ask(floorAnswer)
  await leave(peer)
}

async function leave(peer: WampPeer): Promise<void> {
  await peer.ask(goodbye)
  await peer.close()
}

const floorHello = messageFrame(
  [1, names.realm, { roles, authmethods: ['wampcra'], authid: names.authid }],
  'json',
)
const goodbye = messageFrame([6, {}, 'wamp.close.normal'], 'json')
const floorAnswer = messageFrame([5, 'x'.repeat(44), {}], 'json')
