import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { io } from 'socket.io-client'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { root } from '../../tools/processes.ts'

const folder = join(root, 'examples', 'frameworks')
const all = readdirSync(folder).filter((name) => name.endsWith('.ts'))
/** It refuses by a packet of its own, after the upgrade. */
const packets = 'socket-io.ts'
const programs = all.filter((name) => name !== packets)

/** Starts a program. @returns where it listens */
async function start(program: string): Promise<string> {
  const child = spawn(process.execPath, ['--conditions=countersign-source', join(folder, program)], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill())
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('ready ')) return line.slice('ready '.length)
  }
  throw new Error(`${program} is not ready`)
}

/** What a program whose protocol is its own wants to hear first, and by which subprotocol; the others greet by themselves. */
const openings: Readonly<
  Record<string, { readonly protocol?: string; readonly says: readonly (string | Buffer)[] }>
> = {
  // The document `d`, and in it the message of a provider with an empty token.
  'hocuspocus.ts': { says: [Buffer.of(1, 0x64, 2, 0, 0)] },
  'trpc.ts': { says: ['{"id":1,"method":"query","params":{"path":"greeting"}}'] },
  'graphql.ts': {
    protocol: 'graphql-transport-ws',
    says: ['{"type":"connection_init"}', '{"type":"subscribe","id":"1","payload":{"query":"{ greeting }"}}'],
  },
}

/** Says what a program wants to hear, each when the one before is answered. @returns the answers, until one of them greets */
async function converse(program: string, url: string): Promise<string> {
  const { protocol, says } = openings[program] ?? { says: [] }
  const socket = new WebSocket(url, protocol)
  onTestFinished(() => socket.terminate())
  if (says.length === 0) return String((await once(socket, 'message'))[0])
  await once(socket, 'open')
  let answers = ''
  for (const words of says) {
    const answered = once(socket, 'message')
    socket.send(words)
    answers += String((await answered)[0])
  }
  for (let more = 0; more < 3 && !answers.includes('hello'); more++)
    answers += String((await once(socket, 'message'))[0])
  return answers
}

describe('the example', () => {
  test.each(programs)('%s greets whoever has a ticket, once', async (program) => {
    const site = await start(program)
    const response = await fetch(`${site}ticket`, { method: 'POST' })
    const path = `chat?ticket=${await response.text()}`
    expect(await converse(program, site.replace('http', 'ws') + path)).toContain('hello alice')
    const again = new WebSocket(site.replace('http', 'ws') + path, openings[program]?.protocol)
    await expect(once(again, 'open')).rejects.toThrow('401')
  })

  test(`${packets} greets whoever has a ticket, once`, async () => {
    const site = await start(packets)
    const token = await (await fetch(`${site}ticket`, { method: 'POST' })).text()
    const visit = (): ReturnType<typeof io> => {
      const socket = io(`${site}chat`, { auth: { ticket: token }, forceNew: true, reconnection: false })
      onTestFinished(() => void socket.disconnect())
      return socket
    }
    const greeted = visit()
    expect(await new Promise((resolve) => greeted.on('greeting', resolve))).toBe('hello alice')
    const refused = await new Promise<Error>((resolve) => visit().on('connect_error', resolve))
    expect(refused.message).toBe('invalid_credential')
  })
})
