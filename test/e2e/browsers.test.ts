import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBrowsers, launch } from '../../packages/server/src/lab/browsers/launch.ts'
import { isBlank } from '../../packages/server/src/lab/browsers/png.ts'
import {
  engines,
  type Browser,
  type Engine,
  type Page,
} from '../../packages/server/src/lab/browsers/types.ts'
import { makeCertificates, type Certificates } from './support/certificates.ts'
import { processesMentioning } from './support/processes.ts'
import { serveSite, type Site } from './support/site.ts'

const folder = mkdtempSync(join(tmpdir(), 'browsers-test-'))
// Every profile of this file lies in here, so whatever is left behind can be told from other people's browsers.
const homes = join(folder, 'homes')
mkdirSync(homes)
process.env['TMPDIR'] = homes
const policies = '/etc/chromium/policies/managed'

let site: Site
beforeAll(async () => {
  site = await serveSite()
})
afterAll(async () => {
  await site.close()
  rmSync(folder, { recursive: true, force: true })
})

const versions: Readonly<Record<Engine, RegExp>> = {
  chromium: /^Chromium \d+\.\d+\.\d+\.\d+$/,
  firefox: /^Firefox \d+\.\d+/,
  webkit: /^WebKitGTK \d+\.\d+\.\d+$/,
}

/** Opens a WebSocket in the page and tells what came of it: the two messages, or the close code. */
function talk(url: string): string {
  return `return await new Promise((resolve) => {
    const said = []
    const socket = new WebSocket(${JSON.stringify(url)})
    socket.onopen = () => socket.send('ping')
    socket.onclose = (event) => resolve(event.code)
    socket.onmessage = (event) => { said.push(event.data); if (said.length === 2) resolve(said) }
  })`
}

function expectNothingLeft(): void {
  expect(processesMentioning(homes)).toEqual([])
  expect(readdirSync(homes)).toEqual([])
  const ours = existsSync(policies)
    ? readdirSync(policies).filter((name) => name.includes(`-${process.pid}-`))
    : []
  expect(ours).toEqual([])
}

describe('the installed browsers', () => {
  it('are found with their versions, and asking leaves nothing behind', async () => {
    const found = await findBrowsers()
    expect(found.map(({ engine }) => engine)).toEqual(engines)
    for (const browser of found) {
      expect(browser).toMatchObject({
        kind: 'found',
        version: expect.stringMatching(versions[browser.engine]),
      })
    }
    expectNothingLeft()
  })

  it('are said to be missing, with what to install, when they are not on the path', async () => {
    const path = process.env['PATH']
    process.env['PATH'] = folder
    try {
      const found = await findBrowsers()
      expect(found.map((browser) => (browser.kind === 'missing' ? browser.reason : browser.path))).toEqual([
        expect.stringContaining('Debian: chromium'),
        expect.stringContaining('Debian: firefox-esr'),
        expect.stringContaining('Debian: webkit2gtk-driver xvfb'),
      ])
      await expect(launch('firefox')).rejects.toMatchObject({ failure: 'missing' })
    } finally {
      process.env['PATH'] = path
    }
  })
})

describe.each(engines)('%s', (engine) => {
  let browser: Browser
  let page: Page
  const address = (): string => `http://localhost:${String(site.port)}/`
  beforeAll(async () => {
    browser = await launch(engine)
    page = await browser.open(address())
  })
  afterAll(async () => {
    await browser.close()
  })

  it('tells its version', () => {
    expect(browser.version).toMatch(versions[engine])
  })

  it('runs a script in the page and brings its result back', async () => {
    expect(await page.evaluate('return { title: document.title, parts: [1, null, "é"] } // the end')).toEqual(
      {
        title: 'A page',
        parts: [1, null, 'é'],
      },
    )
    expect(await page.evaluate('await new Promise((resolve) => setTimeout(resolve, 5))')).toBeUndefined()
  })

  it('reports what the script threw', async () => {
    await expect(page.evaluate('throw new TypeError("no such thing")')).rejects.toMatchObject({
      failure: 'script',
      message: 'TypeError: no such thing',
    })
  })

  it('talks over a WebSocket', async () => {
    expect(await page.evaluate(talk(`ws://localhost:${String(site.port)}/`))).toEqual([
      'hello stranger',
      'ping',
    ])
  })

  it('clicks and types with events that a page trusts', async () => {
    await page.type('#name', 'Ann é')
    await page.click('#go')
    expect(await page.evaluate('return document.querySelector("#said").textContent')).toBe('Ann é true')
  })

  it('takes the size it is given and shows the page in a picture', async () => {
    await page.resize(700, 500)
    expect(await page.evaluate('return [innerWidth, innerHeight]')).toEqual([700, 500])
    const file = join(folder, `${engine}.png`)
    await page.screenshot(file)
    const png = readFileSync(file)
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([700, 500])
    expect(isBlank(png)).toBe(false)
  })

  it('becomes as narrow as a phone', async () => {
    await page.resize(390, 844)
    expect(await page.evaluate('return [innerWidth, innerHeight]')).toEqual([390, 844])
  })

  it('goes to another page, and says when nothing answers', async () => {
    await page.goto(`${address()}nowhere`)
    expect(await page.evaluate('return document.body.textContent')).toBe('nothing here')
    await expect(page.goto('http://localhost:1/')).rejects.toMatchObject({ failure: 'navigation' })
    await expect(page.goto(`https://localhost:${String(site.port)}/`)).rejects.toMatchObject({
      failure: 'navigation',
    })
    await page.goto(address())
  })

  it('keeps two tabs apart', async () => {
    const other = await browser.open(address())
    await other.evaluate('globalThis.mark = "other"')
    expect(await page.evaluate('return globalThis.mark ?? "none"')).toBe('none')
    await other.close()
    expect(await page.evaluate('return document.title')).toBe('A page')
  })

  it('can be told that its reader likes the dark and no motion, where the engine allows', async () => {
    const query =
      'return ["color-scheme: dark", "reduced-motion: reduce"].map((q) => matchMedia(`(prefers-${q})`).matches)'
    expect(page.emulate === undefined).toBe(engine === 'webkit')
    expect(await page.evaluate(query)).toEqual([false, false])
    await page.emulate?.({ colorScheme: 'dark', reducedMotion: true })
    expect(await page.evaluate(query)).toEqual(engine === 'webkit' ? [false, false] : [true, true])
    await page.emulate?.({})
    expect(await page.evaluate(query)).toEqual([false, false])
  })

  it('leaves no process and no file behind', async () => {
    expect(processesMentioning(homes)).not.toEqual([])
    await browser.close()
    expectNothingLeft()
  })
})

describe.each(engines)('%s with little patience', (engine) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(engine, { navigationTimeoutMs: 1_500, evaluateTimeoutMs: 1_500 })
  })
  afterAll(async () => {
    await browser.close()
  })

  it('gives up on a script that never ends and on a server that never answers', async () => {
    const page = await browser.open(`http://localhost:${String(site.port)}/`)
    await expect(page.evaluate('await new Promise(() => {})')).rejects.toMatchObject({ failure: 'timeout' })
    await expect(page.goto(`http://localhost:${String(site.port)}/never`)).rejects.toMatchObject({
      failure: 'timeout',
    })
  })
})

describe.each(engines)('third-party cookies in %s', (engine) => {
  it.each([
    ['allow', true],
    ['block', false],
  ] as const)('%s: a cookie comes back across sites: %s', async (thirdPartyCookies, comesBack) => {
    const browser = await launch(engine, { thirdPartyCookies })
    try {
      const page = await browser.open(`http://localhost:${String(site.port)}/`)
      const ask = `await fetch('http://127.0.0.1:${String(site.port)}/cookie', { credentials: 'include' })`
      const cookie = await page.evaluate<string>(`${ask}\nreturn await (${ask}).text()`)
      expect(cookie !== '').toBe(comesBack)
    } finally {
      await browser.close()
    }
  })
})

describe('a browser that is not closed', () => {
  it.each(engines)('%s ends with the process that started it', async (engine) => {
    const program = `import { launch } from ${JSON.stringify(new URL('../../packages/server/src/lab/browsers/launch.ts', import.meta.url).href)}
      await launch(${JSON.stringify(engine)}); console.log('up'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    expect(processesMentioning(homes).length).toBeGreaterThan(2)
    const ended = new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)))
    child.kill('SIGTERM')
    expect(await ended).toBe('SIGTERM')
    await expect.poll(() => processesMentioning(homes)).toEqual([])
    expect(readdirSync(homes)).toEqual([])
  })

  it.each(engines)('%s is gone when it takes too long to start', async (engine) => {
    await expect(launch(engine, { launchTimeoutMs: 150 })).rejects.toMatchObject({ failure: 'timeout' })
    await expect.poll(() => processesMentioning(homes)).toEqual([])
    expect(readdirSync(homes)).toEqual([])
  })
})

describe('a server that asks for a client certificate', () => {
  let certificates: Certificates
  let guarded: Site
  const host = (): string => `localhost:${String(guarded.port)}`
  beforeAll(async () => {
    certificates = makeCertificates(folder)
    const { server, authority } = certificates
    guarded = await serveSite({ ...server, ca: authority, requestCert: true, rejectUnauthorized: true })
  })
  afterAll(async () => {
    await guarded.close()
  })

  it.each(['chromium', 'firefox'] as const)('learns from %s who is there', async (engine) => {
    const { authorityFile, client } = certificates
    const browser = await launch(engine, {
      trust: [authorityFile],
      clientCertificate: { ...client, hosts: [host()] },
    })
    try {
      const page = await browser.open(`http://localhost:${String(site.port)}/`)
      // Chromium chooses a certificate for a page's request only; a WebSocket may then use what was chosen.
      const visit = `await fetch('https://${host()}/', { credentials: 'include', mode: 'no-cors' })`
      expect(await page.evaluate(`${visit}\n${talk(`wss://${host()}/`)}`)).toEqual(['hello alice', 'ping'])
    } finally {
      await browser.close()
    }
    expectNothingLeft()
  })

  it('hears nothing from webkit, which cannot be given one', async () => {
    const hosts = [host()]
    const { authorityFile, client } = certificates
    await expect(launch('webkit', { clientCertificate: { ...client, hosts } })).rejects.toMatchObject({
      failure: 'unsupported',
    })
    const browser = await launch('webkit', { trust: [authorityFile] })
    try {
      const page = await browser.open(`http://localhost:${String(site.port)}/`)
      expect(await page.evaluate(talk(`wss://${host()}/`))).toBe(1006)
    } finally {
      await browser.close()
    }
  })
})
