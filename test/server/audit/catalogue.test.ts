import { describe, expect, it } from 'vitest'
import { checks } from '../../../packages/server/src/audit/checks.ts'
import { authenticationFixtures } from './fixtures/authentication.ts'
import { authorizationFixtures } from './fixtures/authorization.ts'
import { inputFixtures } from './fixtures/input.ts'
import { originFixtures } from './fixtures/origin.ts'
import { transportFixtures } from './fixtures/transport.ts'

const fixtures = [
  ...transportFixtures,
  ...originFixtures,
  ...authenticationFixtures,
  ...authorizationFixtures,
  ...inputFixtures,
]

describe('the catalogue', () => {
  it('names each check once', () => {
    const ids = checks.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('has a pair of targets, and a way to break it, for every check', () => {
    const proven = new Set(fixtures.filter(({ mutants }) => mutants.length > 0).map(({ check }) => check))
    expect(checks.map(({ id }) => id).filter((id) => !proven.has(id))).toEqual([])
  })
})
