import { inputFixtures } from './fixtures/input.ts'
import { checkSuite } from './support/check-suite.ts'

checkSuite(inputFixtures)
