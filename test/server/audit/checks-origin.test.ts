import { originFixtures } from './fixtures/origin.ts'
import { checkSuite } from './support/check-suite.ts'

checkSuite(originFixtures)
