import { describe, expect, it } from 'vitest'
import { sharedRoles } from '../../../packages/countersign/src/core/shared-roles.ts'

describe('lists of roles', () => {
  it('are one object for the same roles in the same order', () => {
    expect(sharedRoles(['user', 'editor'])).toBe(sharedRoles(['user', 'editor']))
    expect(sharedRoles(['user', 'editor'])).not.toBe(sharedRoles(['editor', 'user']))
    expect(sharedRoles(['a,b'])).not.toBe(sharedRoles(['a', 'b']))
  })

  it('do not follow the caller’s list, and cannot be changed', () => {
    const roles = ['user']
    const shared = sharedRoles(roles)
    roles.push('admin')
    expect(shared).toEqual(['user'])
    expect(Object.isFrozen(shared)).toBe(true)
  })

  it('are not remembered when they are long', () => {
    const roles = Array.from({ length: 200 }, (_, at) => `role-${at}`)
    expect(sharedRoles(roles)).toEqual(roles)
    expect(sharedRoles(roles)).not.toBe(sharedRoles(roles))
  })

  it('are not remembered without end, and right all the same', () => {
    for (let at = 0; at < 1_100; at++) expect(sharedRoles([`role-${at}`])).toEqual([`role-${at}`])
    expect(sharedRoles(['one more'])).toEqual(['one more'])
  })
})
