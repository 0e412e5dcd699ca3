/** `examples/console` in a browser: what a person sees, and what another tab does to it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launch } from '../../packages/server/src/lab/browsers/launch.ts'
import type { Browser, Page } from '../../packages/server/src/lab/browsers/types.ts'
import { startConsole, type Program } from '../integration/support/console-program.ts'
import { serveSite } from './support/site.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let program: Program
let browser: Browser

beforeAll(async () => {
  program = await startConsole()
  browser = await launch('chromium', {})
})
afterAll(async () => {
  await browser.close()
  await program.stop()
})

/** Waits until a script answers so. A page that is being left answers nothing. */
async function soon(page: Page, script: string, answer: unknown): Promise<void> {
  await expect.poll(() => page.evaluate(script).catch(() => undefined), { timeout: 20_000 }).toEqual(answer)
}

const textOf = (selector: string): string => `return document.querySelector('${selector}')?.textContent`
const state = textOf('#state')

/** What axe finds fault with. */
function faults(page: Page): Promise<unknown> {
  return page.evaluate(`${axe}
    const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] })
    return violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | '))`)
}

describe('the console in a browser', () => {
  test('logs in, runs and stops commands, shows refusals, and ends with a logout in another tab', async () => {
    const page = await browser.open(`${program.origin}/`)
    expect(await faults(page)).toEqual([])
    await page.click('[data-username=otto]')
    await page.click('form button[type=submit]')
    await soon(page, state, 'connected')
    await soon(page, textOf('#role'), 'operator')
    await page.evaluate(`
      globalThis.breaches = []
      addEventListener('securitypolicyviolation', (event) => breaches.push(event.violatedDirective))`)
    await soon(
      page,
      `return /^login ends in (30:00|29:\\d\\d)$/.test(document.querySelector('#lease').textContent)`,
      true,
    )
    const names = `return [...document.querySelectorAll('.command__run')].map((button) => button.textContent.split(' ')[0])`
    await soon(page, names, ['uptime', 'services', 'disk', 'show', 'processes', 'logs', 'restart'])

    // By the keyboard alone.
    await page.type('#line', 'restart mailer\n')
    await soon(page, textOf('.run pre'), expect.stringContaining('mailer: stopping'))
    await soon(page, textOf('.run pre'), expect.stringContaining('mailer: running'))
    await soon(page, textOf('.run .run__state'), expect.stringMatching(/^done · \d/))
    await page.type('#line', 'announce hello\n')
    await soon(
      page,
      textOf('[data-outcome=refused] pre'),
      expect.stringMatching(/^Not run: your role may not do this/),
    )

    // By buttons.
    await page.click('.command:nth-child(6) .command__run')
    await soon(page, textOf('.run:last-child pre'), expect.stringContaining('command ? announce  refused'))
    expect(await faults(page)).toEqual([])
    await page.click('.run__stop')
    await soon(page, textOf('.run:last-child .run__state'), expect.stringMatching(/^stopped/))
    await page.click('.command:nth-child(6) .command__run')
    await soon(page, `return document.querySelectorAll('[data-outcome=running]').length`, 1)

    await page.resize(360, 740)
    const fits = 'return document.documentElement.scrollWidth <= innerWidth'
    expect(await page.evaluate(fits)).toBe(true)
    await page.emulate?.({ colorScheme: 'dark' })
    expect(await faults(page)).toEqual([])

    const other = await browser.open(`${program.origin}/`)
    await soon(other, state, 'connected')
    await other.click('.bar form button')
    await soon(other, textOf('h1'), 'Log in')
    await other.close()
    await soon(page, state, 'closed')
    await soon(page, textOf('#notice'), expect.stringContaining('You have been logged out'))
    await soon(page, textOf('.run:last-child .run__state'), 'ended with the console')
    expect(await page.evaluate(`return document.querySelector('#line').disabled`)).toBe(true)
    expect(await page.evaluate('return breaches')).toEqual([])
    await page.click('#notice a')
    await soon(page, textOf('h1'), 'Log in')
    await page.close()
  })

  test('is opened to nobody by a page of another origin, not even one of the same host', async () => {
    const page = await browser.open(`${program.origin}/`)
    await page.click('[data-username=ada]')
    await page.click('form button[type=submit]')
    await soon(page, state, 'connected')
    // Another port of the same host is the same site: the cookie travels, SameSite or not.
    const elsewhere = await serveSite()
    const foreign = await browser.open(`http://127.0.0.1:${elsewhere.port}/`)
    const before = program.journal().length
    const ended = await foreign.evaluate(`
      const socket = new WebSocket('${program.origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket')
      return new Promise((resolve) => {
        socket.onmessage = ({ data }) => resolve(data)
        socket.onclose = ({ code }) => resolve(code)
      })`)
    expect(ended).toBe(1006)
    await expect
      .poll(() => program.journal().slice(before))
      .toContainEqual(
        expect.objectContaining({ act: 'connection', outcome: 'refused', reason: 'forbidden_origin' }),
      )
    await foreign.close()
    await elsewhere.close()
    await page.close()
  })
})
