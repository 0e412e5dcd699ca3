import { authenticationFixtures } from './fixtures/authentication.ts'
import { checkSuite } from './support/check-suite.ts'

checkSuite(authenticationFixtures)
