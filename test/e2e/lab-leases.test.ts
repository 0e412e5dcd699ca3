/** Two tabs of one browser, one login: what ends in the one is told in the other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../../packages/server/src/lab/browsers/launch.ts'
import { engines, type Browser, type Page } from '../../packages/server/src/lab/browsers/types.ts'
import { runLab, type RunningLab } from '../support/running-lab.ts'

let lab: RunningLab
beforeAll(async () => {
  lab = await runLab()
})
afterAll(() => lab.stop())

/** Waits until a script answers so. A page that is being left answers nothing. */
async function soon(page: Page, script: string, answer: unknown): Promise<void> {
  const ask = (): Promise<unknown> => page.evaluate(script).catch(() => undefined)
  await expect.poll(ask, { timeout: 30_000 }).toEqual(answer)
}

const textOf = (selector: string): string => `return document.querySelector('${selector}')?.textContent`

/** A socket of D7 that the page holds, and how it ends. */
const holdSocket = (url: string): string => `
  const held = globalThis.held = { open: false, close: '' }
  const socket = new WebSocket(${JSON.stringify(url)})
  socket.addEventListener('message', () => { held.open = true })
  socket.addEventListener('close', ({ code, reason }) => { held.close = code + ' ' + reason })
  return true`

describe.each(engines)('two tabs in %s', (engine) => {
  let browser: Browser
  let first: Page
  let second: Page
  beforeAll(async () => {
    browser = await launch(engine, {})
    first = await browser.open(`${lab.url}login`)
    await first.type('#username', 'alice')
    await first.type('#password', lab.doors.accounts[0]?.password ?? '')
    await first.click('#login button[type=submit]')
  })
  afterAll(() => browser.close())

  it('hold a socket each that rests on the login, and show no end of it', async () => {
    await soon(first, textOf('[data-own-socket]'), 'socket open')
    second = await browser.open(`${lab.url}lab`)
    await soon(second, textOf('[data-own-socket]'), 'socket open')
    for (const page of [first, second]) {
      expect(await page.evaluate("return document.querySelector('[data-login-end]').hidden")).toBe(true)
    }
  })

  it('log out in the one: the socket in the other closes at once, and its page says why', async () => {
    await first.evaluate(holdSocket(lab.door('D7').url))
    await soon(first, 'return globalThis.held.open', true)
    await second.click('[data-log-out]')
    await soon(first, 'return globalThis.held.close', '3003 logged_out')
    await soon(
      first,
      textOf('[data-login-end-words]'),
      'This login was logged out elsewhere. The socket that rested on it was closed with 3003 logged_out at once.',
    )
    expect(await first.evaluate("return document.querySelector('[data-login-end]').hidden")).toBe(false)
    expect(await first.evaluate(textOf('[data-lease]'))).toBe('ended')
    await soon(second, 'return location.pathname', '/login')
  })
})
