import { describe, expect, it } from 'vitest'
import { wampBearer } from '../../../packages/countersign/src/index.ts'
import {
  functionAuthenticator,
  wampTicket,
  type AuthenticatorDetails,
} from '../../../packages/countersign/src/methods/index.ts'
import type { WampWebSocketOptions } from '../../../packages/countersign/src/adapters/wamp-ws.ts'
import { Client } from './wamp-client.ts'
import { openSite, realm1, type Site } from './wamp-site.ts'

type Headers = Readonly<Record<string, unknown>>

/** A site whose authenticator and whose authorizer note which headers they were told. */
async function noting(
  transport: Partial<WampWebSocketOptions>,
  authenticator: { readonly dangerouslyPassHeaders?: readonly string[] },
): Promise<{ readonly site: Site; readonly told: Headers[]; readonly authorizer: Headers[] }> {
  const told: Headers[] = []
  const authorizer: Headers[] = []
  const headersOf = (facts: AuthenticatorDetails[string]): Headers =>
    Object(Object(facts).http_headers_received) as Headers
  const find = (_realm: unknown, _authid: unknown, { transport: facts }: AuthenticatorDetails): unknown => {
    told.push(headersOf(facts))
    return 'frontend'
  }
  const asked = {
    authorizer: (session: { transport: unknown }) => authorizer.push(headersOf(session.transport)) > 0,
  }
  const site = await openSite({
    accept: [wampTicket({ from: wampBearer(), sources: [functionAuthenticator(find, authenticator)] })],
    router: { realms: [{ ...realm1, roles: [{ name: 'frontend', authorizer: asked }] }] },
    ws: transport,
  })
  return { site, told, authorizer }
}

const secrets = { cookie: 'sid=secret; theme=dark', authorization: 'Bearer secret', 'x-tenant': 'acme' }

async function joined(site: Site): Promise<Client> {
  const client = await Client.open(site, { headers: secrets })
  client.hello({ authmethods: ['ticket'], authid: 'joe' })
  await client.heard(4)
  client.send(5, 'any', {})
  await client.heard(2)
  return client
}

describe('secret headers of a handshake', () => {
  it.each([
    ['transport', { dangerouslyPassHeaders: ['cookie'] }, {}],
    ['authenticator', {}, { dangerouslyPassHeaders: ['cookie'] }],
  ])('are told to nobody when the %s alone says so', async (_name, transport, authenticator) => {
    const { site, told } = await noting(transport, authenticator)
    await joined(site)
    expect(told).toMatchObject([{ 'x-tenant': 'acme' }])
    expect(JSON.stringify(told)).not.toContain('secret')
  })

  it('are told to the authenticator that both name them for, and no others', async () => {
    const names = { dangerouslyPassHeaders: ['Cookie'] }
    const { site, told } = await noting(names, names)
    await joined(site)
    expect(told).toMatchObject([{ cookie: secrets.cookie, 'x-tenant': 'acme' }])
    expect(told[0]).not.toHaveProperty('authorization')
  })

  it('are told neither to authorizers nor to the meta API', async () => {
    const names = { dangerouslyPassHeaders: ['cookie', 'authorization'] }
    const { site, authorizer } = await noting(names, names)
    const client = await joined(site)
    const [, id] = await client.heard(2)
    const result = await client.ask(48, {}, 'wamp.session.get', [id])
    expect(JSON.stringify(result)).toContain('acme')
    expect(authorizer).toMatchObject([{ 'x-tenant': 'acme' }])
    expect(JSON.stringify([client.got, authorizer])).not.toContain('secret')
  })
})
