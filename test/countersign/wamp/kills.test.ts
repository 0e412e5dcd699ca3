import { describe, expect, it } from 'vitest'
import { Kills, type RememberedWho } from '../../../packages/countersign/src/wamp/kills.ts'

function remembered(id: string, roles: readonly string[] = ['member'], authid?: string): RememberedWho {
  const claims = authid === undefined ? {} : { authid }
  return {
    realm: 'realm1',
    principal: { id, roles, realm: 'realm1', method: 'ticket', provider: 'static', claims },
  }
}

describe('kills', () => {
  it.each<[string, RememberedWho, boolean]>([
    ['the name', remembered('joe'), true],
    ['another name', remembered('ann'), false],
    ['the name that its session has', remembered('account 7', [], 'joe'), true],
    ['the name, though its session has another', remembered('joe', [], 'account 7'), false],
    ['the name on another realm', { ...remembered('joe'), realm: 'realm2' }, false],
  ])('by name are meant for %s: %j %s', (_what, who, expected) => {
    const kills = new Kills()
    kills.add({ realm: 'realm1', by: 'authid', value: 'joe' })
    expect(kills.since(0, who)).toBe(expected)
  })

  it('by role are meant for everyone who could have it', () => {
    const kills = new Kills()
    kills.add({ realm: 'realm1', by: 'authrole', value: 'member' })
    expect(kills.since(0, remembered('joe', ['guest', 'member']))).toBe(true)
    expect(kills.since(0, remembered('joe', ['guest']))).toBe(false)
  })

  it('before the mark do not count', () => {
    const kills = new Kills()
    kills.add({ realm: 'realm1', by: 'all', value: '' })
    const { mark } = kills
    expect(kills.since(mark, remembered('joe'))).toBe(false)
    kills.add({ realm: 'realm1', by: 'authid', value: 'ann' })
    expect(kills.since(mark, remembered('joe'))).toBe(false)
    expect(kills.since(mark, remembered('ann'))).toBe(true)
  })

  it('count against everyone once there were too many to look back upon', () => {
    const kills = new Kills()
    for (let each = 0; each < 1_001; each++) kills.add({ realm: 'realm1', by: 'authid', value: 'ann' })
    expect(kills.since(0, remembered('joe'))).toBe(true)
    expect(kills.since(1, remembered('joe'))).toBe(false)
  })

  it('are told to those who listen, until they stop', () => {
    const kills = new Kills()
    const told: boolean[] = []
    const stop = kills.listen((isMeant) => told.push(isMeant(remembered('joe'))))
    kills.add({ realm: 'realm1', by: 'authid', value: 'joe' })
    stop()
    kills.add({ realm: 'realm1', by: 'authid', value: 'joe' })
    expect(told).toEqual([true])
  })
})
