import type { AddressInfo } from 'node:net'
import type { PasswordHasher } from 'countersign'
import { authorization, memory } from 'countersign'
import { password } from 'countersign/methods'
import { argon2Passwords } from 'countersign/platform/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { setDisabled } from '../../../packages/server/src/server/accounts.ts'
import { openGuarded, rawUpgrade } from '../../countersign/support/sockets.ts'
import { raw, request } from '../../integration/support/attacker.ts'
import { openSite, siteOrigin } from './support.ts'

/** Names that an attacker would tell apart: one that exists, one that does not, one that is disabled. */
const names = ['alice', 'nobody', 'bob']

/** Real argon2id with one place, and nobody may wait. */
let passwords: PasswordHasher
let holding: Promise<void> | undefined
let release = (): void => undefined

/** Takes the one place again in the very turn in which it is given back. */
async function hold(until: { ended: boolean }): Promise<void> {
  while (!until.ended) await passwords.hash('a password')
}

beforeEach(() => {
  const settings = { maxConcurrent: 1, maxQueued: 0, memoryKiB: 32_768, passes: 3, cacheMs: 0 }
  passwords = argon2Passwords(settings)
})
afterEach(async () => {
  release()
  await holding
})

function fill(): void {
  const until = { ended: false }
  release = () => void (until.ended = true)
  holding = hold(until)
}

/** Everything but the date. */
function withoutDate(text: string): string {
  return text.replace(/^date: .*\r\n/im, '')
}

describe('while no more passwords can be judged', () => {
  it.each(['application/json', 'application/x-www-form-urlencoded'])(
    'the login answers 503 in the same bytes to every name, by %s',
    async (type) => {
      const site = await openSite({ passwords })
      await setDisabled(site.accounts, 'bob', true)
      await site.app.listen({ host: '127.0.0.1', port: 0 })
      const { port } = site.app.server.address() as AddressInfo
      fill()
      const answers: string[] = []
      for (const username of names) {
        const fields = { username, password: 'a guess' }
        const body = type.endsWith('json')
          ? JSON.stringify(fields)
          : new URLSearchParams({ ...fields, csrf: 'none' }).toString()
        const head = [`Origin: ${siteOrigin}`, `Content-Type: ${type}`, 'Connection: close']
        const reply = await raw(port, request('POST /login HTTP/1.1', 'localhost:8000', head, body), 5_000)
        expect([reply.status, reply.ended]).toEqual([503, true])
        // The form's token is fresh each time; the name that was typed is shown again.
        answers.push(
          withoutDate(reply.text)
            .replace(/name="csrf" value="[^"]+"/, '')
            .replace(/^set-cookie: countersign-form=.*\r\n/im, '')
            .replaceAll(username, 'name')
            .replace(/^content-length: .*\r\n/im, ''),
        )
      }
      expect(new Set(answers).size).toBe(1)
      expect(answers[0]?.toLowerCase()).toContain('\r\nretry-after: 5\r\n')
      expect(answers[0]?.toLowerCase()).not.toContain('set-cookie: countersign-device')
      await site.app.close()
    },
  )

  it('the password method answers 503 in the same bytes to every name', async () => {
    const records = memory()
    const passwordHash = await passwords.hash('wonderland')
    for (const username of ['alice', 'bob']) {
      records.putAccount({
        username,
        roles: [],
        passwordHash,
        disabled: username === 'bob',
        changedAtMs: 0,
      })
    }
    const door = await openGuarded({
      accept: [password({ from: authorization('Basic') })],
      records,
      passwords,
    })
    fill()
    const answers: string[] = []
    for (const name of names) {
      const reply = rawUpgrade(door, '/', [`Authorization: Basic ${btoa(`${name}:wonderland`)}`])
      await reply.heard('Overloaded')
      answers.push(reply.text())
    }
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]).toMatch(/^HTTP\/1\.1 503 .*\r\nConnection: close\r\n/)
    expect(answers[0]).toContain('Retry-After: 5\r\n')
  })

  it('a source that has no place in the queue gets one from those that have several', async () => {
    passwords = argon2Passwords({ maxConcurrent: 2, maxQueued: 32, memoryKiB: 8_192, passes: 2, cacheMs: 0 })
    const site = await openSite({ passwords })
    const login = async (remoteAddress: string, body: object): Promise<number> => {
      const headers = { host: 'localhost:8000', origin: siteOrigin }
      const answer = await site.app.inject({
        method: 'POST',
        url: '/login',
        remoteAddress,
        payload: body,
        headers,
      })
      return answer.statusCode
    }
    const ended = { is: false }
    let [judged, busy] = [0, 0]
    // Twenty addresses with four guesses each under way, every one at another name.
    const guessers = Array.from({ length: 80 }, async (_, at) => {
      for (let round = 0; !ended.is; round++) {
        const status = await login(`198.51.100.${at % 20}`, {
          username: `n${at}-${round}`,
          password: 'a guess',
        })
        if (status === 503) {
          busy++
          await new Promise((resolve) => setTimeout(resolve, 5))
        } else judged++
      }
    })
    const statuses: number[] = []
    for (let one = 0; one < 5; one++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      statuses.push(await login('203.0.113.1', { username: 'alice', password: 'wonderland' }))
    }
    ended.is = true
    await Promise.all(guessers)
    expect(statuses).toEqual([200, 200, 200, 200, 200])
    expect(judged).toBeGreaterThan(20)
    expect(busy).toBeGreaterThan(20)
  })

  it('nothing counts as a failure, and the right password comes in as soon as there is room', async () => {
    const site = await openSite({ passwords })
    const login = async (): Promise<number> => {
      const answer = await site.app.inject({
        method: 'POST',
        url: '/login',
        payload: { username: 'alice', password: 'wonderland' },
        headers: { host: 'localhost:8000', origin: siteOrigin },
      })
      return answer.statusCode
    }
    fill()
    for (let one = 0; one < 20; one++) expect(await login()).toBe(503)
    release()
    await holding
    expect(await login()).toBe(200)
  })
})
