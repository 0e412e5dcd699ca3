import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../../packages/server/src/lab/browsers/launch.ts'
import { engines, type Browser, type Page } from '../../packages/server/src/lab/browsers/types.ts'
import { describeOutcome, type LabReport } from '../../packages/server/src/lab/cases.ts'
import { runLab, type RunningLab } from '../support/running-lab.ts'

/** Logs in through the form, as a person would, and opens the lab. */
async function openLab(browser: Browser, lab: RunningLab): Promise<Page> {
  const page = await browser.open(`${lab.url}login`)
  const account = lab.doors.accounts.find((one) => one.username === 'alice')
  await page
    .evaluate(
      `
    document.querySelector('#username').value = 'alice'
    document.querySelector('#password').value = ${JSON.stringify(account?.password)}
    document.querySelector('#login button[type=submit]').click()
    await new Promise((resolve) => setTimeout(resolve, 500))
  `,
    )
    .catch(() => undefined)
  await page.goto(`${lab.url}lab`)
  return page
}

let lab: RunningLab
beforeAll(async () => {
  lab = await runLab()
})
afterAll(() => lab.stop())

for (const engine of engines) {
  describe(`the lab in ${engine}`, () => {
    it('shows every expected outcome, slow cases included', async () => {
      const browser = await launch(engine, { evaluateTimeoutMs: 240_000 })
      try {
        const page = await openLab(browser, lab)
        const report = await page.evaluate<LabReport>(
          'return await globalThis.countersignLab.runAll({ slow: true })',
        )
        expect(report.engine).toBe(engine)
        const surprises = report.results
          .filter((one) => !one.agrees)
          .map(
            (one) =>
              `${one.id}: expected ${describeOutcome(one.expected)}, measured ${JSON.stringify(one.measured)} ${one.note}`,
          )
        expect(surprises).toEqual([])
        expect(report.results.length).toBeGreaterThan(70)
        expect(report.agrees).toBe(true)
      } finally {
        await browser.close()
      }
    })
  })
}
