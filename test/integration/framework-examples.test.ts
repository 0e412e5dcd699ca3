import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { root } from '../../tools/processes.ts'

const folder = join(root, 'examples', 'frameworks')
const programs = readdirSync(folder).filter((name) => name.endsWith('.ts'))

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

describe('the example', () => {
  test.each(programs)('%s greets whoever has a ticket, once', async (program) => {
    const site = await start(program)
    const response = await fetch(`${site}ticket`, { method: 'POST' })
    const path = `chat?ticket=${await response.text()}`
    const socket = new WebSocket(site.replace('http', 'ws') + path)
    const [greeting] = await once(socket, 'message')
    expect(String(greeting)).toBe('hello alice')
    const again = new WebSocket(site.replace('http', 'ws') + path)
    await expect(once(again, 'open')).rejects.toThrow('401')
    socket.terminate()
  })
})
