/** Suites that anyone's store, bus or platform can be held against, and stand-ins for tests. */
export { busSuite } from './bus-suite.ts'
export { fakeClock, type FakeClock } from './fake-clock.ts'
export { platformSuite } from './platform-suite.ts'
export { recordingJournal, type RecordingJournal } from './recording-journal.ts'
export { recordsSuite, type OpenedRecords } from './records-suite.ts'
export {
  issuedAtMs,
  sampleAccount,
  sampleApiKey,
  sampleGrant,
  sampleHash,
  sampleMark,
  samplePublicKey,
  sampleScramKey,
  sampleSecret,
  sampleSession,
  sampleTicket,
} from './rows.ts'
export { expectEqual, expectFailure, expectThat, type SuiteCase } from './suite.ts'
