import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../../packages/server/src/lab/browsers/launch.ts'
import type { Browser, Page } from '../../packages/server/src/lab/browsers/types.ts'
import { writeReport } from '../../packages/server/src/reports/write.ts'
import { cleanReport, hostileReport, reportOf, richReport } from '../server/reports/support/audited.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'countersign-report-'))
const kinds = ['rich', 'clean', 'hostile', 'unreachable'] as const
const sizes = [
  [1_280, 900],
  [360, 740],
] as const

let browser: Browser
let elsewhere: Server
let asked = 0

function addressOf(kind: (typeof kinds)[number]): string {
  return pathToFileURL(join(folder, `${kind}.html`)).href
}

beforeAll(async () => {
  elsewhere = createServer((_request, response) => {
    asked += 1
    response.end()
  })
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  const address = elsewhere.address()
  const beacon = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`
  const reports = {
    rich: await richReport(),
    clean: await cleanReport(),
    hostile: await hostileReport(
      `"><script>document.title = 'ran'</script><img src="${beacon}" onerror="document.title = 'ran'"><link rel="stylesheet" href="${beacon}"><base href="${beacon}">`,
    ),
    unreachable: await reportOf(async () => ({
      url: 'ws://127.0.0.1:1/socket',
      options: {},
      close: () => Promise.resolve(),
    })),
  }
  for (const kind of kinds) writeFileSync(join(folder, `${kind}.html`), writeReport(reports[kind], 'html'))
  browser = await launch('chromium', {})
})
afterAll(async () => {
  await browser.close()
  elsewhere.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Rules that the page breaks, with the elements that break them. */
function violations(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(`${axe}
    const { violations } = await axe.run(document)
    return violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.target.join(' ')).join(', '))`)
}

function overflows(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('return document.documentElement.scrollWidth > innerWidth')
}

describe('the report of an audit, in a browser', () => {
  it.each(kinds)(
    'breaks no accessibility rule and fits its window, in light and dark, wide and narrow: %s',
    async (kind) => {
      const page = await browser.open(addressOf(kind))
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true; return 0')
      for (const [width, height] of sizes) {
        await page.resize(width, height)
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulate?.({ colorScheme, reducedMotion: true })
          const dress = `${kind}, ${colorScheme} at ${width} px`
          expect(await violations(page), dress).toEqual([])
          expect(await overflows(page), dress).toBe(false)
        }
      }
      await page.close()
    },
  )

  it('runs no script, asks for nothing elsewhere, and its policy would forbid both', async () => {
    const page = await browser.open(addressOf('hostile'))
    const requested: string[] = []
    page.puppeteer?.on('request', (request) => requested.push(request.url()))
    await page.goto(addressOf('hostile'))
    expect(requested).toEqual([addressOf('hostile')])
    expect(asked).toBe(0)
    expect(await page.evaluate('return document.title')).toMatch(/^Audit of ws:/)
    expect(await page.evaluate('return document.scripts.length + document.images.length')).toBe(0)
    const refused = await page.evaluate<readonly string[]>(`
      const refused = []
      document.addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective))
      const image = document.createElement('img')
      image.src = 'https://elsewhere.invalid/a.png'
      const style = document.createElement('style')
      style.textContent = 'p { color: red }'
      const script = document.createElement('script')
      script.textContent = 'document.title = "ran"'
      document.body.append(image, style, script)
      await new Promise((resolve) => setTimeout(resolve, 300))
      return [...new Set(refused)].sort()`)
    expect(refused).toEqual(['img-src', 'script-src-elem', 'style-src-elem'])
    expect(await page.evaluate('return document.title')).toMatch(/^Audit of ws:/)
    await page.close()
  })

  it('shows a check once, with all that it found, and marks the line that decides', async () => {
    const page = await browser.open(addressOf('rich'))
    const groups = await page.evaluate<readonly (readonly [string, number, number])[]>(
      `return [...document.querySelectorAll('.finding')].map((one) =>
        [one.id, one.querySelectorAll('.says').length, one.querySelectorAll('.remedy').length])`,
    )
    expect(new Set(groups.map(([id]) => id)).size).toBe(groups.length)
    expect(groups.find(([id]) => id === 'T4')).toEqual(['T4', 2, 3])
    const decides = await page.evaluate<string>(
      `return document.querySelector('#O1 .decides pre').textContent`,
    )
    expect(decides).toContain('"name":"mira"')
    const privately = await page.evaluate<string>(
      `return document.querySelector('#A1 .decides pre').textContent`,
    )
    expect(privately).toContain('"type":"order"')
    const selected = await page.evaluate<string>(
      `return document.querySelector('#O6 .decides pre').textContent`,
    )
    expect(selected).toContain('Sec-WebSocket-Protocol: countersign-audit.')
    const links = await page.evaluate<readonly string[]>(
      `return [...document.querySelectorAll('a[href^="#"]')].map((one) => one.getAttribute('href'))
        .filter((href) => document.getElementById(href.slice(1)) === null)`,
    )
    expect(links).toEqual([])
    expect(
      await page.evaluate(
        `return [...document.querySelectorAll('.area')].map((one) => one.textContent.trim())`,
      ),
    ).toEqual(expect.arrayContaining(['Transport', 'Handshake and origin', 'Authentication']))
    await page.close()
  })
})
