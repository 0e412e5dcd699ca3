import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logIn, postAs, runLab, type RunningLab } from '../support/running-lab.ts'

const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3'
const script = join(import.meta.dirname, 'python-clients.py')

interface Step {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly send?: readonly string[]
  /** Messages to hear before the echo. */
  readonly expect?: number
}

interface Heard {
  readonly opened: boolean
  readonly heard?: readonly string[]
  readonly status?: number
  readonly challenge?: string
  readonly code?: number
  readonly reason?: string
}

let lab: RunningLab
let cookie: string

beforeAll(async () => {
  lab = await runLab()
  cookie = await logIn(lab)
})
afterAll(() => lab.stop())

/** Runs the steps in one Python process, one after the other. */
function converse(...steps: readonly Step[]): Promise<readonly Heard[]> {
  return new Promise((resolve, reject) => {
    const child = execFile(python, [script], { timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as readonly Heard[])
      else reject(new Error(`${error.message}\n${stderr}`))
    })
    child.stdin?.end(JSON.stringify(steps))
  })
}

async function ticketFor(audience: string): Promise<string> {
  return String((await postAs(lab, cookie, { path: '/countersign/ticket', body: { audience } }))['ticket'])
}

const greeted = { opened: true, heard: ['Hello alice!', 'echo me'] }

describe("Debian's python3-websockets", () => {
  it('opens the first-message door with a bare ticket and hears the greeting first', async () => {
    const ticket = await ticketFor('D1')
    expect(await converse({ url: lab.door('D1').url, send: [ticket] })).toEqual([greeted])
  })

  it('opens the first-message door with a JSON ticket and is told auth_ok first', async () => {
    const token = await ticketFor('D1')
    const [answer] = await converse({
      url: lab.door('D1').url,
      send: [JSON.stringify({ type: 'auth', token })],
      expect: 2,
    })
    expect(JSON.parse(answer?.heard?.[0] ?? '')).toMatchObject({ type: 'auth_ok' })
    expect(answer?.heard?.slice(1)).toEqual(greeted.heard)
  })

  it('opens the query door once, and is told 401 the second time', async () => {
    const url = `${lab.door('D2').url}?ticket=${await ticketFor('D2')}`
    const [first, second] = await converse({ url }, { url })
    expect(first).toEqual(greeted)
    expect(second).toMatchObject({ opened: false, status: 401 })
  })

  it('opens the user-information door with name and password in the URL', async () => {
    const url = lab.door('D4').url.replace('://', `://alice:${lab.doors.accounts[0]?.password ?? ''}@`)
    expect(await converse({ url })).toEqual([greeted])
  })

  it('is challenged for Basic by the user-information door', async () => {
    const [answer] = await converse({ url: lab.door('D4').url })
    expect(answer).toMatchObject({ opened: false, status: 401 })
    expect(answer?.challenge).toMatch(/^Basic realm=.*charset="UTF-8"/)
  })

  it('opens the machine door with Basic in the URL and with a Bearer header', async () => {
    const { url } = lab.door('D5')
    const account = lab.doors.accounts.find((one) => one.username === 'alice')
    const [basic, bearer] = await converse(
      { url: url.replace('://', `://alice:${account?.password ?? ''}@`) },
      { url, headers: { authorization: `Bearer ${account?.api_key ?? ''}` } },
    )
    expect(basic).toEqual(greeted)
    expect(bearer).toEqual(greeted)
  })

  it('is told by the machine door that a Bearer token is invalid', async () => {
    const [answer] = await converse({
      url: lab.door('D5').url,
      headers: { authorization: `Bearer csk_${'x'.repeat(43)}` },
    })
    expect(answer).toMatchObject({ opened: false, status: 401 })
    expect(answer?.challenge).toContain('error="invalid_token"')
  })

  it('is closed by the first-message door with a code when the ticket is made up', async () => {
    const [answer] = await converse({ url: lab.door('D1').url, send: [`cst_${'x'.repeat(43)}`] })
    expect(answer).toEqual({ opened: false, code: 3000, reason: 'invalid_credential' })
  })
})
