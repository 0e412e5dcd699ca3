import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../../packages/server/src/lab/browsers/launch.ts'
import type { Browser, Page } from '../../packages/server/src/lab/browsers/types.ts'
import { runLab, type RunningLab } from '../support/running-lab.ts'

let lab: RunningLab
let browser: Browser
let page: Page

beforeAll(async () => {
  lab = await runLab()
  browser = await launch('chromium', {})
  page = await browser.open(`${lab.url}login`)
  await page.type('#username', 'alice')
  await page.type('#password', lab.doors.accounts[0]?.password ?? '')
  await page.click('#login button[type=submit]')
})
afterAll(async () => {
  await browser.close()
  await lab.stop()
})

/** Waits until a script answers so. A page that is being left answers nothing. */
async function soon(script: string, answer: unknown): Promise<void> {
  const ask = (): Promise<unknown> => page.evaluate(script).catch(() => undefined)
  await expect.poll(ask, { timeout: 20_000 }).toEqual(answer)
}

const textOf = (selector: string): string => `return document.querySelector('${selector}')?.textContent`

/** The text of the first element of this kind in a row of the page. */
const textIn = (id: string, selector: string): string =>
  `return document.getElementById('${id}').querySelector('${selector}')?.textContent`

describe('the pages of the lab', () => {
  it('join the WAMP realm by the client as it is published, under the policy of every page', async () => {
    await soon('return typeof globalThis.countersignLab', 'object')
    const results = await page.evaluate(`
      const breaches = []
      addEventListener('securitypolicyviolation', (event) => breaches.push(event.violatedDirective))
      const only = countersignLab.cases.flatMap(({ id, steps }) =>
        steps.some(({ kind }) => kind === 'join') ? [id] : [])
      const { results } = await countersignLab.runAll({ only })
      return { joins: only.length, odd: results.filter((one) => !one.agrees), breaches }`)
    expect(results).toEqual({ joins: expect.any(Number), odd: [], breaches: [] })
    expect(Number(Reflect.get(Object(results), 'joins'))).toBeGreaterThan(20)
  })

  it('show what passed in WAMP, what decided it, and no secret', async () => {
    const rows = ['D12.wamp', 'D12.wamp-wrong']
    for (const id of rows) await page.evaluate(`document.getElementById('${id}').open = true; return true`)
    const abort =
      'ABORT [3,{"message":"the authentication was not accepted"},"wamp.error.authentication_denied"]'
    await soon(textIn('D12.wamp-wrong', '.sequence__deciding'), abort)
    await soon(`${textIn('D12.wamp', '.sequence__deciding')}.slice(0, 10)`, 'WELCOME [2')
    const text = String(await page.evaluate(textIn('D12.wamp', '.sequence')))
    const names = ['HELLO [1,"realm1"', 'CHALLENGE [4,"wampcra"', 'AUTHENTICATE [5,"••••"', 'RESULT [50']
    for (const name of names) expect(text).toContain(name)
    const tab = "document.getElementById('D12.wamp').querySelectorAll('[role=tab]')[1]"
    await page.evaluate(`${tab}.click(); return true`)
    await soon(`${textIn('D12.wamp', '.sample')}.includes('new Router(')`, true)
  })

  it('connect to D14 by Socket.IO’s client as it is published, under the policy of every page', async () => {
    const results = await page.evaluate(`
      const breaches = []
      addEventListener('securitypolicyviolation', (event) => breaches.push(event.violatedDirective))
      const only = countersignLab.cases.flatMap(({ id, steps, slow, alone }) =>
        steps.some(({ kind }) => kind === 'connect') && !slow && !alone ? [id] : [])
      const { results } = await countersignLab.runAll({ only: [...only, 'D14.hostile', 'D14.hostile-polling'] })
      return { visits: only.length, odd: results.filter((one) => !one.agrees), breaches }`)
    expect(results).toEqual({ visits: expect.any(Number), odd: [], breaches: [] })
    expect(Number(Reflect.get(Object(results), 'visits'))).toBeGreaterThan(20)
  })

  it.each([
    [
      'D14.connect',
      '42["greeting","Hello alice!"',
      ['40{"ticket":"cst_••••","expiring":true}', '0{"sid":"••••"'],
    ],
    ['D14.polling', '42["greeting","Hello alice!"', ['POST /socket.io/?EIO=4&transport=polling&sid=••••']],
    ['D14.wrong', '44{"message":"invalid_credential","data":{"reason":"invalid_credential"', []],
    ['D14.event', '430[{"error":{"reason":"forbidden","action":"announce"}}]', ['420["announce",']],
    ['D14.namespace', '44/unlisted,{"message":"forbidden"', ['40/unlisted,{"ticket":"cst_••••"']],
    ['D14.logout-polling', '42["auth_end",{"reason":"logged_out","advice":"stop"}]', []],
    // The browser’s own policy would stop the page as well: it is the guard that answers.
    [
      'D14.hostile',
      'HTTP/1.1 403 Forbidden',
      ['transport=websocket', 'Origin: http://localhost:', 'Cookie: '],
    ],
    ['D14.hostile-polling', 'HTTP/1.1 403 Forbidden', ['transport=polling', 'Origin: http://localhost:']],
  ])('show what decided %s, in the packets of Socket.IO, and no secret', async (id, deciding, others) => {
    await page.evaluate(`document.getElementById('${id}').open = true; return true`)
    await soon(`${textIn(id, '.sequence__deciding')}.slice(0, ${deciding.length})`, deciding)
    const text = String(await page.evaluate(textIn(id, '.sequence')))
    for (const packet of others) expect(text).toContain(packet)
    expect(text).not.toMatch(/cst_(?!•)|(?:"sid":"|"pid":"|sid=)(?!•)|probe=|countersign-session=(?!•)/)
    const tab = `document.getElementById('${id}').querySelectorAll('[role=tab]')[1]`
    await page.evaluate(`${tab}.click(); return true`)
    const sample = id === 'D14.logout-polling' ? 'guard.revoke({ session }' : 'guardSocketIo(io, guard,'
    await soon(`${textIn(id, '.sample')}.includes('${sample}')`, true)
  })

  it.each([
    ['D1.refresh-in-band', ['{"type":"auth_expiring","in":', '{"type":"auth","token":"cst_••••"}']],
    [
      'D12.refresh-in-band',
      ['{"type":"auth_expiring","in":', '{"type":"hello",', '"type":"authenticate","signature":"••••"'],
    ],
  ])('show how %s outlives its end, what decided that, and no secret', async (id, frames) => {
    const results = await page.evaluate(`
      const { results } = await countersignLab.runAll({ only: ['${id}'] })
      return results.map(({ agrees, note }) => [agrees, note.replace(/[0-9]+/, '…')])`)
    expect(results).toEqual([[true, 'Renewed in band … ms before its first end.']])
    await page.evaluate(`document.getElementById('${id}').open = true; return true`)
    await soon(`${textIn(id, '.sequence__deciding')}.slice(0, 31)`, '{"type":"auth_ok","expires_in":')
    const text = String(await page.evaluate(textIn(id, '.sequence')))
    const warned = text.slice(text.indexOf('auth_expiring') - 9)
    for (const frame of frames) expect(warned).toContain(frame)
    expect(text.match(/"auth_ok"/g)).toHaveLength(2)
    const tab = `document.getElementById('${id}').querySelectorAll('[role=tab]')[1]`
    await page.evaluate(`${tab}.click(); return true`)
    await soon(`${textIn(id, '.sample')}.includes('auth_expiring')`, true)
  })

  it('show how D14.refresh-in-band outlives its end by an event', async () => {
    const id = 'D14.refresh-in-band'
    const results = await page.evaluate(`
      const { results } = await countersignLab.runAll({ only: ['${id}'] })
      return results.map(({ agrees, note }) => [agrees, note.replace(/[0-9]+/, '…')])`)
    expect(results).toEqual([[true, 'Renewed in band … ms before its first end.']])
    await page.evaluate(`document.getElementById('${id}').open = true; return true`)
    await soon(`${textIn(id, '.sequence__deciding')}.slice(0, 35)`, '431[{"type":"auth_ok","expires_in":')
    const text = String(await page.evaluate(textIn(id, '.sequence')))
    for (const packet of ['42["auth_expiring",{"in":', '421["auth",{"token":"cst_••••"}]'])
      expect(text).toContain(packet)
    const tab = `document.getElementById('${id}').querySelectorAll('[role=tab]')[1]`
    await page.evaluate(`${tab}.click(); return true`)
    await soon(`${textIn(id, '.sample')}.includes("emitWithAck('auth'")`, true)
  })

  it('take a secret out of their own HTML at once and open D13 with it', async () => {
    await soon('return typeof globalThis.countersignLab', 'object')
    await page.evaluate("location.assign('/lab/login-secret'); return true")
    await soon(textOf('[data-outcome]'), 'D13 opens and greets alice.')
    expect(await page.evaluate("return document.querySelector('#countersign-secret')")).toBeNull()
  })

  it('say in words of their own that the site is gone', async () => {
    await page.evaluate("location.assign('/lab'); return true")
    await soon('return typeof globalThis.countersignLab', 'object')
    await soon(textOf('[data-journal-state]'), 'live, newest first')
    await lab.stop()
    await page.evaluate("await globalThis.countersignLab.runAll({ only: ['D2.connect'] }); return true")
    const row = '[data-case="D2.connect"] [data-measured]'
    expect(await page.evaluate(textOf(row))).toBe('The lab’s site does not answer.')
    expect(await page.evaluate("return document.querySelector('[data-trouble]').hidden")).toBe(false)
    await soon(textOf('[data-journal-state]'), 'not connected, trying again')
  })
})
