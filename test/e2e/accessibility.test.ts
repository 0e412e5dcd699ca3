import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../../packages/server/src/lab/browsers/launch.ts'
import type { Browser, Page } from '../../packages/server/src/lab/browsers/types.ts'
import { runLab, type RunningLab } from '../support/running-lab.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const sizes = [
  [1_280, 900],
  [360, 740],
] as const
const schemes = ['light', 'dark'] as const

let lab: RunningLab
let browser: Browser
let page: Page

beforeAll(async () => {
  lab = await runLab()
  browser = await launch('chromium', {})
  page = await browser.open(`${lab.url}login`)
})
afterAll(async () => {
  await browser.close()
  await lab.stop()
})

/** Rules that the page as it stands breaks, with the elements that break them. */
function violations(): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(`${axe}
    await Promise.all(document.getAnimations().map((one) => one.finished.catch(() => undefined)))
    const { violations } = await axe.run(document, { iframes: false })
    return violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.target.join(' ')).join(', '))`)
}

/** Whether the page is wider than its window: people would have to scroll sideways. */
function overflows(): Promise<boolean> {
  return page.evaluate<boolean>('return document.documentElement.scrollWidth > innerWidth')
}

async function inEveryDress(look: (dress: string) => Promise<void>): Promise<void> {
  for (const [width, height] of sizes) {
    await page.resize(width, height)
    for (const colorScheme of schemes) {
      await page.emulate?.({ colorScheme, reducedMotion: true })
      await look(`${colorScheme} at ${String(width)} px`)
    }
  }
}

describe('what people see', () => {
  it('breaks no accessibility rule on the login page, in light and dark, wide and narrow', async () => {
    await inEveryDress(async (dress) => {
      expect(await violations(), dress).toEqual([])
      expect(await overflows(), dress).toBe(false)
    })
  })

  it('breaks none in the lab, with results and an open row', async () => {
    await page.type('#username', 'alice')
    await page.type('#password', lab.doors.accounts[0]?.password ?? '')
    await page.click('#login button[type=submit]')
    await expect
      .poll(() => page.evaluate('return typeof globalThis.countersignLab').catch(() => ''), {
        timeout: 20_000,
      })
      .toBe('object')
    await page.evaluate("await globalThis.countersignLab.runAll({ only: ['D1.connect', 'D2', 'D2.wrong'] })")
    await page.evaluate(
      "await globalThis.countersignLab.runAll({ only: ['D12.wamp', 'D14.connect', 'D15'] })",
    )
    await page.evaluate(`
      document.querySelector('details').open = true
      document.getElementById('D12.wamp').open = true
      document.getElementById('D14.connect').open = true
      return true`)
    await inEveryDress(async (dress) => {
      expect(await violations(), dress).toEqual([])
      expect(await overflows(), dress).toBe(false)
    })
  })

  it('breaks none while a lease counts down, and once it is told why leases ended', async () => {
    const left = `return document.querySelector('[data-gate="D2"] [data-gate-left]').textContent`
    const tops = `return ['.run', '#doors', '#D2 .case'].map((one) =>
      Math.round(document.querySelector(one).getBoundingClientRect().top + scrollY))`
    await page.resize(1_280, 900)
    await page.evaluate(
      "for (const row of document.querySelectorAll('details')) row.open = false; return true",
    )
    const before = await page.evaluate(tops)
    await page.evaluate(`globalThis.counting = countersignLab.runAll({ only: ['D2.expire', 'D6.refresh'] })
      return true`)
    await expect.poll(() => page.evaluate<string>(left), { timeout: 20_000 }).toMatch(/^\d+(?:\.\d)? s$/)
    expect(await page.evaluate(tops)).toEqual(before)
    expect(await violations()).toEqual([])
    await page.evaluate('await globalThis.counting; return true')
    expect(await page.evaluate(tops)).toEqual(before)
    const only = ['D2.logout-elsewhere', 'D2.revoke', 'D12.logout-elsewhere']
    await page.evaluate(`await countersignLab.runAll({ only: ${JSON.stringify(only)} })
      for (const id of ['D2.logout-elsewhere', 'D12.logout-elsewhere']) document.getElementById(id).open = true
      document.querySelector('[data-login-end-words]').textContent = 'This login was logged out elsewhere.'
      document.querySelector('[data-login-end]').hidden = false
      return true`)
    await inEveryDress(async (dress) => {
      expect(await violations(), dress).toEqual([])
      expect(await overflows(), dress).toBe(false)
    })
  })

  it('breaks none on the page that carries its secret', async () => {
    await page.evaluate("location.assign('/lab/login-secret'); return true")
    await expect
      .poll(() => page.evaluate("return document.querySelector('.notice--ok') !== null").catch(() => false), {
        timeout: 20_000,
      })
      .toBe(true)
    await inEveryDress(async (dress) => {
      expect(await violations(), dress).toEqual([])
      expect(await overflows(), dress).toBe(false)
    })
  })
})
