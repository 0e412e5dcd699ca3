import { transportFixtures } from './fixtures/transport.ts'
import { checkSuite } from './support/check-suite.ts'

checkSuite(transportFixtures)
