import { authorizationFixtures } from './fixtures/authorization.ts'
import { checkSuite } from './support/check-suite.ts'

checkSuite(authorizationFixtures)
