import { join as joinPath } from 'node:path'
import { describe, expect, it } from 'vitest'
import { countersign } from '../../cli/support/command.ts'
import { folder, mount, node, urlOf, websocket } from './mounted.ts'
import { join, joined, shows } from './wamp-client.ts'

const auth = {
  ticket: [
    { type: 'static', principals: { joe: { ticket: 'abc', role: 'frontend' } } },
    { type: 'x_accounts', 'default-role': 'frontend' },
  ],
}

async function withAlice(): Promise<{ readonly at: string; readonly store: string }> {
  const at = folder()
  const store = joinPath(at, 'countersign.db')
  const args = ['user', 'add', 'alice', '--store', store, '--password-stdin']
  expect(await countersign(args, { stdin: 'a long enough one\n' })).toMatchObject({ exit: 0 })
  return { at, store }
}

describe('x_accounts', () => {
  it('lets in who has an account beside the configuration, behind those whom the file names', async () => {
    const { at } = await withAlice()
    const url = urlOf(await mount(node([websocket(auth)]), { at }))
    const alice = { methods: ['ticket'], authid: 'alice' }
    expect(await join(url, { ...alice, answer: shows('a long enough one') })).toMatchObject({
      details: { authid: 'alice', authrole: 'frontend', authprovider: 'accounts' },
    })
    expect(await join(url, { ...alice, answer: shows('another one') })).toMatchObject({ kind: 'aborted' })
    expect(await join(url, { ...alice, authid: 'joe', answer: shows('abc') })).toMatchObject({
      details: { authprovider: 'static' },
    })
  })

  it('ends sessions of an account that is disabled by the command line', async () => {
    const { at, store } = await withAlice()
    const url = urlOf(await mount(node([websocket(auth)]), { at, store }))
    const alice = { methods: ['ticket'], authid: 'alice', answer: shows('a long enough one') }
    const session = await joined(url, alice)
    await countersign(['user', 'disable', 'alice', '--store', store])
    expect(await session.goodbye()).toBe('wamp.close.killed')
    expect(await join(url, alice)).toMatchObject({ kind: 'aborted' })
  })
})
