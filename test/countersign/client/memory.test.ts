import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { CredentialMemory } from '../../../packages/countersign/src/client/index.ts'

describe('a client’s memory', () => {
  test('allows one other credential after a refusal, and none after the second in a row', () => {
    const memory = new CredentialMemory()
    expect(memory.refused('a', 'invalid_credential')).toBe('new_credential')
    expect(memory.refused('b', 'invalid_credential')).toBe('stop')
    expect([memory.hasRefused('a'), memory.hasRefused('b'), memory.hasRefused('c')]).toEqual([
      true,
      true,
      false,
    ])
  })

  test('takes a refusal for a first one again only when a connection has held', () => {
    const memory = new CredentialMemory()
    memory.refused('a', 'expired_credential')
    memory.accepted()
    expect(memory.refused('b', 'lease_expired')).toBe('stop')
    memory.forget()
    memory.refused('c', 'expired_credential')
    memory.settled()
    expect(memory.refused('d', 'lease_expired')).toBe('new_credential')
  })

  test('is bounded', () => {
    const memory = new CredentialMemory()
    for (let at = 0; at < 100; at++) memory.keep(`credential ${at}`)
    expect(memory.hasRefused('credential 99')).toBe(true)
    expect(memory.hasRefused('credential 0')).toBe(false)
  })

  test('shows no credential to a log', () => {
    const memory = new CredentialMemory()
    memory.refused('hunter2', 'invalid_credential')
    expect(inspect(memory, { depth: 9, showHidden: true }) + JSON.stringify(memory)).not.toContain('hunter2')
  })
})
