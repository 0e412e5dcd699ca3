/** A target that sends back whatever it is shown: the worst that can happen to a secret. */
import { createServer, type IncomingMessage } from 'node:http'
import { WebSocketServer } from 'ws'
import { listening, type Target } from '../../audit/support/site.ts'

/** Opens a mirror. It gives out this token, puts it into a hidden field, and asks sessions of WAMP for a ticket. */
export function openMirror(token: string): Promise<Target> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      response.setHeader('set-cookie', `sid=${encodeURIComponent(token)}; Path=/`)
      response.setHeader('x-seen', encodeURIComponent(request.headers.cookie ?? ''))
      if (request.url === '/token') response.end(JSON.stringify({ token }))
      else response.end(`<input name="csrf" value="${encodeURIComponent(token)}">${shown(request)}${body}`)
    })
  })
  const wss = new WebSocketServer({ server, handleProtocols: (offered) => [...offered][0] ?? false })
  wss.on('headers', (headers, request) => {
    headers.push(`x-seen: ${encodeURIComponent(shown(request))}`)
  })
  wss.on('connection', (socket, request) => {
    socket.on('error', () => undefined)
    const isWamp = socket.protocol === 'wamp.2.json'
    const say = (text: string): void => socket.send(isWamp ? JSON.stringify([36, 1, 1, {}, [text]]) : text)
    say(shown(request))
    socket.on('message', (data) => {
      const text = String(data)
      if (isWamp && text.startsWith('[1,')) socket.send('[4,"ticket",{}]')
      if (isWamp && text.startsWith('[5,')) socket.send('[2,1,{}]')
      if (text.startsWith('40')) socket.send('40{"sid":"a"}')
      if (text.includes('connection_init')) socket.send('{"type":"connection_ack"}')
      say(text)
      say(JSON.stringify({ name: text, type: 'data' }))
    })
  })
  return listening(server, {}, () => {
    for (const client of wss.clients) client.terminate()
  })
}

/** A request with its credentials, also as they are behind base64. */
function shown(request: IncomingMessage): string {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  return JSON.stringify({
    url: plain(request.url ?? ''),
    raw: request.url,
    headers: request.headers,
    basic: Buffer.from(basic, 'base64').toString(),
  })
}

/** Without percent signs, where they are well-formed: a target may be asked for anything. */
function plain(url: string): string {
  try {
    return decodeURIComponent(url)
  } catch {
    return url
  }
}
