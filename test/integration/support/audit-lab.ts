/** How an audit logs in at each door of the lab. */
import type { AuditOptions, LoginOptions, TokenPlace } from '../../../packages/server/src/audit/options.ts'
import type { PublishedDoor, RunningLab } from '../../support/running-lab.ts'

/** What an audit of this door is told. */
export function optionsOfDoor(lab: RunningLab, door: PublishedDoor): AuditOptions {
  const { id, protocol } = door
  const low = lowAt(lab, id)
  return {
    protocol: protocol === 'text' ? 'plain' : protocol === 'wamp' ? 'wamp' : 'socket.io',
    origin: lab.url.slice(0, -1),
    whoami: { expect: 'Hello (?<identity>\\w+)!' },
    private: ['Hello \\w+!'],
    ...(low === undefined ? {} : { identities: { low } }),
  }
}

/** How Alice comes in; `undefined` where the scanner knows no way, and looks at the door from outside. */
function lowAt(lab: RunningLab, id: string): LoginOptions | undefined {
  const account = lab.doors.accounts.find(({ username }) => username === 'alice')
  const form = {
    url: `${lab.url}login`,
    fields: { username: 'alice', password: account?.password ?? '' },
    json: true,
  }
  const ticket = (as: TokenPlace): LoginOptions => ({
    form,
    token: {
      url: `${lab.url}countersign/ticket`,
      body: JSON.stringify({ audience: id }),
      member: 'ticket',
      as,
      singleUse: true,
    },
  })
  const ways: Readonly<Record<string, LoginOptions>> = {
    D1: ticket({ first: '{token}' }),
    D2: ticket({ query: 'ticket' }),
    D4: { basic: `alice:${account?.password ?? ''}` },
    D5: { headers: { Authorization: `Bearer ${account?.api_key ?? ''}` } },
    D6: ticket({ subprotocols: ['countersign.v1', 'countersign.bearer.{token}'] }),
    D7: { form },
    D9: {
      form,
      token: { url: `${lab.url}countersign/preauth`, body: '{}', member: 'csrf', as: { query: 'csrf' } },
    },
    D10: ticket({ query: 'ticket' }),
    D14: { form },
  }
  return ways[id]
}
