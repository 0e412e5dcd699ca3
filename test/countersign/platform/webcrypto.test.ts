import { afterEach, describe, expect, test, vi } from 'vitest'
import { webcryptoPlatform } from '../../../packages/countersign/src/platform/webcrypto.ts'
import { platformSuite } from '../../../packages/countersign/src/testing/index.ts'

describe('the portable platform', () => {
  for (const { name, run } of platformSuite(webcryptoPlatform)) test(name, run)
})

describe('where timers are numbers, as in browsers', () => {
  afterEach(() => vi.unstubAllGlobals())

  test('ticks and stops', () => {
    const cleared: unknown[] = []
    vi.stubGlobal('setInterval', () => 7)
    vi.stubGlobal('clearInterval', (timer: unknown) => cleared.push(timer))
    webcryptoPlatform().clock.every(1000, () => {})()
    expect(cleared).toEqual([7])
  })
})
