/** What a session has left behind is published, as far as it might have published it itself at its end. */
import { isThenable } from '../core/drive.ts'
import type { Broker } from './broker.ts'
import type { Publish } from './messages.ts'
import { permits, type Authority, type Permit } from './permit.ts'
import { refusedOutright } from './realm-rules.ts'
import { Session } from './session.ts'
import type { Testament } from './testaments.ts'

/**
 * Publishes in order, `detached` before `destroyed`. The session is gone: what it may not publish is dropped, and nobody is
 * told.
 */
export function publishTestaments(session: Session, broker: Broker, authority: Authority): void {
  const testaments = session.testaments?.inOrder() ?? []
  session.testaments = undefined
  if (testaments.length === 0) return
  const executor = executorOf(session)
  for (const testament of testaments) {
    const message = publishOf(testament)
    if (refusedOutright(message) !== undefined) continue
    const publish = (permit: Permit): void => {
      if (permit !== permits.denied && permit !== permits.failed) broker.publish(executor, message, permit)
    }
    const permit = authority.decide(executor, 'publish', message.topic, message.options)
    // A decision that is never reached publishes nothing.
    if (isThenable(permit)) permit.then(publish, () => {}).then(() => authority.forget(executor))
    else publish(permit)
  }
}

/** Stands in for a session that is gone: authorizers are asked about it, subscribers are told of it, nothing reaches it. */
function executorOf({ id, realm, identity, features, trustlevel, transport }: Session): Session {
  const outlet = { send: () => {} }
  const cancelReply = 'always'
  const facts = { facts: transport }
  return new Session({ id, realm, identity, features, cancelReply, trustlevel, transport: facts, outlet })
}

function publishOf({ topic, payload, options }: Testament): Publish {
  const { acknowledge: _nobodyWaits, ...rest } = options
  return { kind: 'publish', request: 0, options: rest, topic, payload }
}
