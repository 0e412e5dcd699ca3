import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { hearAnswer, hearBody } from '../../../packages/server/src/lab/poll-bodies.ts'
import { isSocketIo, packetsIn, socketIoLine } from '../../../packages/server/src/lab/socket-io-lines.ts'

describe('a packet of Socket.IO', () => {
  it.each([
    '44{"message":"invalid_credential","data":{"reason":"invalid_credential","advice":"new_credential"}}',
    '44/unlisted,{"message":"forbidden"}',
    '430[{"error":{"reason":"forbidden","action":"announce"}}]',
    '43/chat,12[{"error":{"reason":"forbidden"}}]',
    '42["auth_end",{"reason":"revoked","advice":"stop"}]',
    '42["auth_error",{"error":{"reason":"forbidden"}}]',
    '42/chat,["auth_end",{"reason":"revoked"}]',
  ])('decides when it refuses or ends: %s', (packet) => {
    expect(socketIoLine(packet)).toEqual({ text: packet, deciding: true })
  })

  it.each([
    '0{"sid":"x"}',
    '40{"sid":"x"}',
    '41',
    '42["greeting","Hello alice!"]',
    '42["auth",{"ticket":"x"}]',
    '42["auth_expiring",{"in":1}]',
    '430["echo"]',
    '430[{"type":"auth_ok"}]',
    '42["echo","44"]',
  ])('decides nothing otherwise: %s', (packet) => {
    expect(socketIoLine(packet).deciding).toBe(false)
  })

  it('comes alone or with others in the body of a poll', () => {
    expect(packetsIn('')).toEqual([])
    expect(packetsIn('40{"sid":"x"}')).toEqual(['40{"sid":"x"}'])
    expect(packetsIn('42["a"]\u001e42["b"]')).toEqual(['42["a"]', '42["b"]'])
  })

  it('is looked for at the path of Engine.IO', () => {
    expect(['/socket.io/?EIO=4', '/socket.io', '/', '/x?/socket.io/'].map(isSocketIo)).toEqual([
      true,
      false,
      false,
      false,
    ])
  })
})

describe('the bodies of a poll', () => {
  it('are told whole, and go where they went', async () => {
    const request = new IncomingMessage(new Socket())
    const heard: unknown[] = []
    hearBody(request, (body) => heard.push(body))
    for (const chunk of ['40{"ti', 'cket":"x"}']) request.push(chunk)
    request.push(null)
    const chunks: string[] = []
    for await (const chunk of request) chunks.push(String(chunk))
    expect([heard, chunks.join('')]).toEqual([['40{"ticket":"x"}'], '40{"ticket":"x"}'])
  })

  it('start no flow: nothing is lost for who reads late', async () => {
    const request = new IncomingMessage(new Socket())
    hearBody(request, () => undefined)
    request.push('late')
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect([request.readableFlowing, String(request.read())]).toEqual([null, 'late'])
  })

  it('are kept to a bound', () => {
    const request = new IncomingMessage(new Socket())
    const lengths: number[] = []
    hearBody(request, (body) => lengths.push(body.length))
    for (let at = 0; at < 10; at++) request.emit('data', Buffer.alloc(10_000, 'x'))
    request.emit('end')
    expect(lengths).toEqual([65_536])
  })

  it('are told with the status of the answer, from all its chunks', () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()))
    const heard: unknown[] = []
    hearAnswer(response, (status, body) => heard.push([status, body]))
    response.writeHead(403)
    response.write('Forbidden ')
    response.end(Buffer.from('origin'))
    expect(heard).toEqual([[403, 'Forbidden origin']])
  })
})
