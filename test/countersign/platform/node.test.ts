import { describe, test } from 'vitest'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { platformSuite } from '../../../packages/countersign/src/testing/index.ts'

describe('the platform of Node', () => {
  for (const { name, run } of platformSuite(nodePlatform)) test(name, run)
})
