import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { freeBlock } from '../../tools/ports.ts'
import { Person, resource, startProvider, type IdentityProvider } from './support/identity-provider.ts'
import { countersign, end, start, type Running } from './support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-single-logout-'))
let port = 0
let provider: IdentityProvider
let server: Running

/** The program takes access tokens of the provider, and ends what the provider ends. */
function configuration(first: number): string {
  const issuer = `http://localhost:${String(first + 1)}`
  return `store: countersign.db
keyFile: countersign.key
site:
  listen: localhost:${String(first)}
guards:
  - name: chat
    path: /socket
    accept:
      - method: jwt
        issuer: ${issuer}
        jwks: ${issuer}/jwks
        algorithms: [RS256]
        audience: ${resource}
        typ: at+jwt
issuers:
  - issuer: ${issuer}
    jwks: ${issuer}/jwks
    algorithms: [RS256]
    audience: chat-client
`
}

async function serve(): Promise<Running> {
  const running = start(['serve', 'countersign.yaml'], { cwd: folder })
  await running.line(`ready ws://localhost:${String(port)}/socket`)
  return running
}

/** An open socket, and how it closes. */
interface Open {
  readonly socket: WebSocket
  readonly closed: Promise<readonly [number, string]>
}

async function open(token: string): Promise<Open> {
  const socket = new WebSocket(`ws://localhost:${String(port)}/socket`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const closed = once(socket, 'close').then(([code, reason]): readonly [number, string] => [
    Number(code),
    String(reason),
  ])
  await once(socket, 'message')
  return { socket, closed }
}

/** Whether it still hears and answers. */
async function speaks({ socket }: Open): Promise<boolean> {
  const heard = once(socket, 'message')
  socket.send('anyone there?')
  await heard
  return socket.readyState === WebSocket.OPEN
}

/** The status of a handshake that is refused. */
async function refusal(token: string): Promise<number | undefined> {
  const socket = new WebSocket(`ws://localhost:${String(port)}/socket`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const [request, response] = await once(socket, 'unexpected-response')
  request.destroy()
  return response.statusCode
}

const push = (token: string): Promise<Response> =>
  fetch(`http://localhost:${String(port)}/countersign/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/secevent+jwt' },
    body: token,
  })

beforeAll(async () => {
  port = await freeBlock(2, 27_000 + Math.floor(Math.random() * 200) * 2)
  writeFileSync(join(folder, 'countersign.yaml'), configuration(port))
  provider = await startProvider(port + 1, `http://localhost:${String(port)}/countersign/backchannel-logout`)
  server = await serve()
})

afterAll(async () => {
  await end(server)
  await provider.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('somebody who logged in at an OpenID provider', () => {
  test('is logged out of the socket by it, of that session alone, and stays out over a restart', async () => {
    const [here, there] = [new Person(provider), new Person(provider)]
    const [token, other] = [await here.logIn('alice'), await there.logIn('alice')]
    const [one, two] = [await open(token), await open(other)]
    await here.logOut()
    expect(provider.told).toEqual([{ kind: 'success', message: '' }])
    expect(await one.closed).toEqual([3003, 'logged_out'])
    expect(await refusal(token)).toBe(401)
    expect(await speaks(two)).toBe(true)

    await end(server)
    expect((await two.closed)[1]).toBe('shutting_down')
    server = await serve()
    expect(await refusal(token)).toBe(401)
    const again = await open(other)
    await there.logOut()
    expect(await again.closed).toEqual([3003, 'logged_out'])
    expect(provider.told).toHaveLength(2)
  })

  test('is thrown out by a security event, and may log in again', async () => {
    const person = new Person(provider)
    const { closed } = await open(await person.logIn('bob'))
    const seconds = Math.floor(Date.now() / 1000)
    const event = await provider.sign('secevent+jwt', {
      iat: seconds,
      jti: 'event-1',
      sub_id: { format: 'iss_sub', iss: provider.issuer, sub: 'bob' },
      events: {
        'https://schemas.openid.net/secevent/caep/event-type/session-revoked': { event_timestamp: seconds },
      },
    })
    const first = await push(event)
    expect([first.status, await first.text()]).toEqual([202, ''])
    expect(await closed).toEqual([3003, 'revoked'])
    // What begins in the second of the event counts as older.
    await new Promise((resolve) => setTimeout(resolve, (seconds + 1) * 1000 - Date.now()))
    const again = await open(await new Person(provider).logIn('bob'))
    expect((await push(event)).status).toBe(202)
    expect(await speaks(again)).toBe(true)
    again.socket.close()
  })

  test('is not logged out by anybody else', async () => {
    const person = new Person(provider)
    const socket = await open(await person.logIn('carol'))
    const access = await new Person(provider).logIn('mallory')
    const forged = await fetch(`http://localhost:${String(port)}/countersign/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: access }),
    })
    expect([forged.status, await forged.json()]).toEqual([400, { error: 'invalid_request' }])
    const pushed = await push(access)
    expect([pushed.status, await pushed.json()]).toMatchObject([400, { err: 'invalid_request' }])
    expect(await speaks(socket)).toBe(true)
    socket.socket.close()
  })

  test('is journalled by constant words alone', () => {
    const lines = server.stderr()
    expect(lines).toContain('"detail":"logout_token"')
    expect(lines).toContain('"detail":"logout_token invalid_request"')
    expect(lines).toContain('"detail":"session-revoked"')
    expect(lines).not.toMatch(/eyJ[A-Za-z0-9_-]{20}/)
  })
})

test('the configuration is explained', async () => {
  const { code, stdout } = await countersign(['check', 'countersign.yaml'], { cwd: folder })
  expect(code).toBe(0)
  expect(stdout).toContain(
    `Logouts are told at http://localhost:${String(port)}/countersign/backchannel-logout, security events at http://localhost:${String(port)}/countersign/events:`,
  )
  expect(stdout).toContain('0 errors, 0 warnings')
  const json = await countersign(['check', 'countersign.yaml', '--json'], { cwd: folder })
  expect(JSON.parse(json.stdout)).toMatchObject({
    issuers: [{ issuer: provider.issuer, audience: ['chat-client'], algorithms: ['RS256'] }],
  })
})
