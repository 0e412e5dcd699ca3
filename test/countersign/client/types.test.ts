import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { environment, root } from '../../../tools/processes.ts'

/** A page's program: the types of the DOM, and none of Node. */
const program = `
import {
  clientCertificate, CountersignSocket, firstMessage, frameCookie, sharedCredential, socketClass, ticketFrom,
  type BaseSocketClass, type FramePage,
} from 'countersign/client'

export const base: BaseSocketClass = WebSocket
export const page: FramePage = window
const Socket = socketClass({ carrier: firstMessage(ticketFrom('/countersign/ticket', { fetch })) })
export const asClass: typeof WebSocket = Socket
export const asInstance: WebSocket = new Socket('wss://ws.example.com/', ['chat'])
export const socket = new CountersignSocket('wss://ws.example.com/', {
  carrier: clientCertificate({ fetch }), WebSocket, surroundings: window,
})
socket.onmessage = ({ data }) => String(data)
socket.addEventListener('reconnecting', ({ delayMs, advice }) => advice + delayMs.toFixed())
socket.addEventListener('close', ({ code }) => code.toFixed(), { once: true })
socket.addEventListener('error', ({ error }) => error.message)
// @ts-expect-error a close has no delay
socket.addEventListener('close', ({ delayMs }) => delayMs)
// @ts-expect-error a socket without a carrier shows nothing
new CountersignSocket('wss://ws.example.com/', {})
export const shared = sharedCredential({
  name: 'a', read: () => 'a', refresh: () => 'b', locks: navigator.locks, channel: (name) => new BroadcastChannel(name),
})
export const framed = frameCookie({ getFrameTicket: () => 'a', getTicket: () => 'b', page })
`

test(
  'the client compiles where only the DOM is, and passes for what the DOM has',
  { timeout: 60_000 },
  () => {
    const folder = mkdtempSync(join(root, '.docs-check-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'page.ts'), program)
    const compilerOptions = {
      lib: ['es2024', 'dom', 'dom.iterable'],
      types: [],
      noEmit: true,
      isolatedDeclarations: false,
      declaration: false,
      customConditions: ['countersign-source'],
    }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../tsconfig.base.json', compilerOptions, files: ['page.ts'] }),
    )
    const { stdout } = spawnSync('tsc', ['-p', folder], { env: environment(), encoding: 'utf8' })
    expect(stdout).toBe('')
  },
)
