import { describe, expect, test } from 'vitest'
import { localBus } from '../../../packages/countersign/src/bus/local.ts'
import { busSuite } from '../../../packages/countersign/src/testing/index.ts'
import { sampleMark } from '../../../packages/countersign/src/testing/rows.ts'

describe('the local bus', () => {
  for (const { name, run } of busSuite(localBus)) test(name, run)

  test('tells the publisher what subscribers threw, once all have heard', () => {
    const bus = localBus()
    let heard = 0
    const failures = [new Error('one'), new Error('two')]
    for (const failure of failures) {
      bus.subscribe(() => {
        heard++
        throw failure
      })
    }
    const publish = (): void => bus.publish({ ...sampleMark(), sparesNewer: false })
    expect(publish).toThrow(expect.objectContaining({ errors: failures }))
    expect(heard).toBe(2)
  })
})
