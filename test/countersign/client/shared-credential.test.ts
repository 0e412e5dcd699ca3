import { describe, expect, test } from 'vitest'
import {
  sharedCredential,
  Unauthorized,
  type Ask,
  type GetCredential,
  type SharedCredentialOptions,
  type Signals,
} from '../../../packages/countersign/src/client/index.ts'

const { signal } = new AbortController()
const connecting: Ask = { purpose: 'connect', refused: undefined, signal }
const refused: Ask = { purpose: 'connect', refused: 'expired_credential', signal }
const renewing: Ask = { purpose: 'renew', refused: undefined, signal }

interface Site {
  readonly said: unknown[]
  refreshes: number
  token: string | undefined
  tab(options?: Partial<SharedCredentialOptions>): GetCredential
}

let sites = 0

/** Several tabs of one site, each with code of its own, and what they keep together. */
function site(token: string | undefined): Site {
  const name = `test-${sites++}`
  const made: Site = {
    said: [],
    refreshes: 0,
    token,
    tab: (options = {}) =>
      sharedCredential({
        name,
        read: () => made.token,
        refresh: async () => {
          made.refreshes++
          await new Promise((resolve) => setTimeout(resolve, 60))
          made.token = `token-${made.refreshes}`
          return made.token
        },
        channel: (channel) => listening(new BroadcastChannel(channel), made.said),
        ...options,
      }),
  }
  return made
}

/** A channel all of whose messages are written down. */
function listening(channel: InstanceType<typeof BroadcastChannel>, said: unknown[]): Signals {
  return {
    postMessage: (message) => {
      said.push(message)
      // A channel has no target: it never leaves its origin.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      channel.postMessage(message)
    },
    addEventListener: (type, listener) => channel.addEventListener(type, (event: Event) => listener(event)),
    close: () => channel.close(),
  }
}

const ways: readonly (readonly [string, Partial<SharedCredentialOptions>])[] = [
  ['by Web Locks', {}],
  ['by signals, where there are no locks', { locks: undefined }],
]

describe.each(ways)('tabs that share a token %s', (_name, way) => {
  test('read it as long as nothing speaks against it', async () => {
    const { tab, ...all } = site('token-0')
    expect(await tab(way)(connecting)).toBe('token-0')
    expect(all.refreshes).toBe(0)
  })

  test('refresh it once for all, when it is missing', async () => {
    const all = site(undefined)
    const tabs = [all.tab(way), all.tab(way), all.tab(way), all.tab(way)]
    const got = await Promise.all(
      tabs.map(async (get, at) => {
        await new Promise((resolve) => setTimeout(resolve, at * 12))
        return get(connecting)
      }),
    )
    expect(got).toEqual(['token-1', 'token-1', 'token-1', 'token-1'])
    expect(all.refreshes).toBe(1)
  })

  test('refresh it once for all, when it was refused or its lease is to be renewed', async () => {
    const all = site('token-0')
    const tabs = [all.tab(way), all.tab(way)] as const
    for (const get of tabs) await get(connecting)
    expect(await Promise.all([tabs[0](refused), tabs[1](renewing)])).toEqual(['token-1', 'token-1'])
    expect(all.refreshes).toBe(1)
  })

  test('refresh it once where what one keeps reaches the others late', async () => {
    const all = site(undefined)
    let visible: string | undefined
    const late = {
      ...way,
      read: () => visible,
      refresh: async () => {
        const token = `token-${String(++all.refreshes)}`
        await new Promise((resolve) => setTimeout(resolve, 60))
        setTimeout(() => (visible = token), 120)
        return token
      },
    }
    const [first, second] = [all.tab(late), all.tab(late)]
    expect(await Promise.all([first(connecting), second(connecting)])).toEqual(['token-1', 'token-1'])
    expect(all.refreshes).toBe(1)
  })

  test('refresh it once where one asks when another has it, and does not see it yet', async () => {
    const all = site(undefined)
    let visible: string | undefined
    const tab = (reads: () => string | undefined): GetCredential =>
      all.tab({
        ...way,
        read: reads,
        refresh: async () => {
          const token = `token-${String(++all.refreshes)}`
          setTimeout(() => (visible = token), 120)
          return token
        },
      })
    expect(await tab(() => undefined)(connecting)).toBe('token-1')
    expect(await tab(() => visible)(connecting)).toBe('token-1')
    expect(all.refreshes).toBe(1)
  })

  test('tell each other nothing of it', async () => {
    const all = site(undefined)
    await Promise.all([all.tab(way)(connecting), all.tab(way)(connecting)])
    expect(JSON.stringify(all.said)).not.toContain('token')
    expect(all.said.filter((word) => !/^(anybody|done|mine -?[\d.e-]{1,24})$/.test(String(word)))).toEqual([])
  })
})

describe('a shared token', () => {
  test('that is stale by its own measure is refreshed before it is shown', async () => {
    const all = site('token-old')
    expect(await all.tab({ isFresh: (token) => token !== 'token-old' })(connecting)).toBe('token-1')
  })

  test('that cannot be refreshed is asked for again the next time', async () => {
    let tries = 0
    const get = site(undefined).tab({
      refresh: async () => {
        if (tries++ === 0) throw new Unauthorized()
        return 'token-late'
      },
    })
    await expect(Promise.resolve(get(connecting))).rejects.toThrow(Unauthorized)
    expect(await get(connecting)).toBe('token-late')
  })
})
