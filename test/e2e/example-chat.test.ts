import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../../packages/server/src/lab/browsers/launch.ts'
import type { Browser, Page } from '../../packages/server/src/lab/browsers/types.ts'
import { logIn, page as client, startChat, type Program } from '../integration/support/chat-program.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const here = { latitude: 53.551_12, longitude: 9.993_68 }
const markup = `<img src=x onerror="document.title='ran'"><b>bold</b>`

const textOf = (page: Page, selector: string): Promise<string> =>
  page.evaluate<string>(`return document.querySelector(${JSON.stringify(selector)})?.textContent ?? ''`)

const shown = (page: Page, selector: string): Promise<boolean> =>
  page.evaluate<boolean>(
    `return document.querySelector(${JSON.stringify(selector)})?.checkVisibility() ?? false`,
  )

/** Logs in by the form and waits for the page behind it. */
async function enter(browser: Browser, { url }: Program, nickname: string, password: string): Promise<Page> {
  const page = await browser.open(`${url}login`)
  await page.type('#nickname', nickname)
  await page.type('#password', password)
  await page.click('#login button[type=submit]')
  await expect.poll(() => shown(page, '#gate, #room').catch(() => false), { timeout: 20_000 }).toBe(true)
  return page
}

/** Shares the position, and waits until the server has let the page in. */
async function comeIn(page: Page): Promise<void> {
  await page.locate?.(here)
  // A browser that remembers the permission opens the gate by itself.
  await page.evaluate(`document.querySelector('#share').click(); return true`)
  await expect.poll(() => textOf(page, '#state'), { timeout: 20_000 }).toBe('Connected')
}

async function violations(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(`${axe}
    await Promise.all(document.getAnimations().filter((one) => one.effect.getTiming().iterations !== Infinity)
      .map((one) => one.finished.catch(() => undefined)))
    const { violations } = await axe.run(document)
    return violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.target.join(' ')).join(', '))`)
}

async function inEveryDress(page: Page): Promise<void> {
  for (const [width, height] of [
    [1_600, 900],
    [360, 740],
  ] as const) {
    await page.resize(width, height)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulate?.({ colorScheme, reducedMotion: true })
      const dress = `${colorScheme} at ${String(width)} px`
      expect(await violations(page), dress).toEqual([])
      expect(await page.evaluate('return document.documentElement.scrollWidth <= innerWidth'), dress).toBe(
        true,
      )
    }
  }
  await page.resize(1_280, 900)
}

const patient = { timeout: 20_000 }

describe.each(['chromium', 'firefox'] as const)('the page of the chat in %s', (engine) => {
  let browser: Browser
  let chat: Program
  let twin: Program
  beforeAll(async () => {
    ;[browser, chat, twin] = await Promise.all([launch(engine, {}), startChat(), startChat('--insecure')])
  })
  afterAll(async () => {
    await browser.close()
    await Promise.all([chat.stop(), twin.stop()])
  })

  it('does not open the chat without a position, and says why', async () => {
    const page = await enter(browser, chat, 'mara', 'copper-harbour-19')
    await page.locate?.('refused')
    await page.click('#share')
    await expect
      .poll(() => textOf(page, '#gate-problem'), { timeout: 20_000 })
      .toContain('told to keep your position')
    expect(await shown(page, '#room')).toBe(false)
    expect(await textOf(page, '#state')).toBe('Not connected')
    expect(
      await page.evaluate(`return performance.getEntriesByType('resource')
      .filter((one) => one.name.includes('transport=')).length`),
    ).toBe(0)
    await page.close()
  })

  it('opens it with one, shows what others write as text, sends, and hears why something was refused', async () => {
    const page = await enter(browser, chat, 'mara', 'copper-harbour-19')
    await comeIn(page)
    const { ask } = await client(chat, 'websocket', { cookie: await logIn(chat, 'teo') })
    await ask('outgoing message', { message: markup, lat: -33.86, lon: 151.21 })
    await expect.poll(() => textOf(page, '.line:last-child .line-words'), patient).toBe(markup)
    expect(await page.evaluate(`return document.querySelectorAll('.line img, .line b').length`)).toBe(0)
    expect(await page.evaluate('return document.title')).toBe('Map chat')

    for (let sent = 0; sent < 6; sent++) {
      await page.type('#message', `Tide table, page ${String(sent)}`)
      await page.click('#send')
      await expect
        .poll(
          async () => (await textOf(page, '#refusal')) !== '' || (await textOf(page, '#count')) === '0 / 500',
          patient,
        )
        .toBe(true)
    }
    expect(await textOf(page, '#refusal')).toMatch(
      /^That was fast\. The next message may go in \d+ seconds?\.$/,
    )
    expect(await page.evaluate(`return document.querySelector('#message').value`)).toBe('Tide table, page 5')
    expect(await page.evaluate(`return document.querySelectorAll('.line-own').length`)).toBe(5)
    expect(await textOf(page, '.line-own .link')).toBe('53.551° N, 9.994° E')
    expect(await page.evaluate(`return document.querySelectorAll('.marker').length`)).toBe(6)
    expect(
      await page.evaluate(`return performance.getEntriesByType('resource')
      .every((one) => new URL(one.name).origin === location.origin)`),
    ).toBe(true)
    await page.close()
  })

  it('says in one tab that the other has logged out, and goes no further', async () => {
    const page = await enter(browser, chat, 'ines', 'paper-orchard-77')
    await comeIn(page)
    const other = await browser.open(chat.url)
    await other.click('.bar form button')
    await expect.poll(() => textOf(page, '#over'), { timeout: 5_000 }).toContain('You logged out.')
    expect(await shown(page, '#composer')).toBe(false)
    expect(await textOf(page, '#state')).toBe('Closed')
    await other.close()
    await page.close()
  })

  it('goes on trying when the server shuts down, and keeps what was written', async () => {
    const brief = await startChat()
    const page = await enter(browser, brief, 'mara', 'copper-harbour-19')
    await comeIn(page)
    await page.type('#message', 'Half a thought')
    await brief.stop()
    await expect.poll(() => textOf(page, '#state'), { timeout: 10_000 }).toContain('trying again')
    expect(await page.evaluate(`return document.querySelector('#message').value`)).toBe('Half a thought')
    expect(await page.evaluate(`return document.querySelector('#send').disabled`)).toBe(true)
    expect(await shown(page, '#over')).toBe(false)
    await page.close()
  })

  it('runs in the twin what others write', async () => {
    const page = await enter(browser, twin, 'mara', 'copper-harbour-19')
    await comeIn(page)
    const { ask } = await client(twin, 'websocket', {})
    await ask('outgoing message', { message: markup, lat: 1, lon: 2 })
    await expect.poll(() => page.evaluate('return document.title'), patient).toBe('ran')
    expect(await shown(page, '.banner')).toBe(true)
    await page.close()
  })
})

describe('what people see of the chat', () => {
  it('breaks no accessibility rule, in light and dark, wide and narrow', async () => {
    const [browser, chat] = await Promise.all([launch('chromium', {}), startChat()])
    try {
      await inEveryDress(await browser.open(`${chat.url}login`))
      const page = await enter(browser, chat, 'otto', 'granite-ferry-08')
      await page.locate?.('refused')
      await page.click('#share')
      await expect.poll(() => textOf(page, '#gate-problem'), patient).not.toBe('')
      await inEveryDress(page)
      await comeIn(page)
      await inEveryDress(page)
      await page.evaluate(`await fetch('/logout', { method: 'POST' }); return true`)
      await expect.poll(() => textOf(page, '#over'), patient).toContain('Log in')
      await inEveryDress(page)
    } finally {
      await browser.close()
      await chat.stop()
    }
  })
})
