import { connect, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JournalEntry } from 'countersign'
import { serveJournal } from '../../../packages/server/src/lab/journal-stream.ts'
import { loggedIn, openSite, type TestSite, type Visitor } from '../server/support.ts'

let site: TestSite
let visitor: Visitor
const sockets: Socket[] = []

beforeEach(async () => {
  site = await openSite()
  serveJournal(site.app, site.journal, () => site.platform.clock.now())
  await site.app.listen({ port: 0, host: '127.0.0.1' })
  visitor = await loggedIn(site)
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await site.app.close()
})

/** Asks for the stream. @returns the socket and the first chunk of the answer */
async function read(cookies = visitor.cookies): Promise<{ readonly socket: Socket; readonly head: string }> {
  // The site listens on a port, not on a path.
  const { port } = site.app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  sockets.push(socket)
  socket.write(`GET /lab/journal HTTP/1.1\r\nHost: localhost:8000\r\nCookie: ${cookies}\r\n\r\n`)
  const [chunk] = await once(socket, 'data')
  return { socket, head: String(chunk) }
}

function entry(detail: string): JournalEntry {
  const nothing = { method: undefined, subject: undefined, lease: undefined, reason: undefined }
  return {
    kind: 'issued',
    atMs: 0,
    guard: 'D1',
    ...nothing,
    remoteAddress: undefined,
    origin: undefined,
    detail,
  }
}

describe('the stream of the journal', () => {
  it('tells what happens from now on, to those who are logged in', async () => {
    const { socket, head } = await read()
    expect(head).toMatch(/^HTTP\/1\.1 200 /)
    const heard = new Promise<string>((resolve) => socket.on('data', (chunk) => resolve(String(chunk))))
    site.journal.record(entry('now'))
    expect(await heard).toContain('"detail":"now"')
    expect((await read('countersign-session=css_no')).head).toMatch(/^HTTP\/1\.1 401 /)
  })

  it('drops a reader who never reads, before much has piled up', async () => {
    const { socket } = await read()
    socket.pause()
    const gone = once(socket, 'close')
    const long = 'x'.repeat(4_000)
    for (let at = 0; at < 5_000; at++) {
      site.journal.record(entry(long))
      if (at % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    socket.resume()
    await gone
  })

  it('has a bounded number of readers, and a place again when one leaves', async () => {
    const readers = await Promise.all(Array.from({ length: 64 }, () => read()))
    expect((await read()).head).toMatch(/^HTTP\/1\.1 503 /)
    const [first] = readers
    first?.socket.destroy()
    await expect.poll(async () => (await read()).head.slice(0, 12)).toBe('HTTP/1.1 200')
  })

  it('ends with the session, by logging out or by revocation of the subject', async () => {
    const { socket } = await read()
    const gone = once(socket, 'close')
    socket.on('end', () => socket.end())
    let text = ''
    socket.on('data', (chunk) => (text += String(chunk)))
    site.clock.advance(1)
    await site.guards.D2.revoke({ subject: 'bob' })
    await site.guards.D2.revoke({ subject: 'alice' })
    await expect.poll(() => text).toContain('\r\n0\r\n')
    socket.destroy()
    await gone
  })
})
