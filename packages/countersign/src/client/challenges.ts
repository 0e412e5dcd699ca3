/** `countersign/client/challenge`: secrets that never travel, for the socket of `countersign/client`. */
export {
  challengeResponse,
  type ChallengeMethod,
  type ChallengeOptions,
  type ChallengeSecret,
  type ChallengeTalk,
} from './challenge.ts'
export { wampcra } from './challenge-wampcra.ts'
export { scramSha256 } from './challenge-scram.ts'
export { cryptosign, type ChallengeSigner } from './challenge-cryptosign.ts'
export {
  secretFromPage,
  type PageSecretOptions,
  type SecretDocument,
  type SecretElement,
} from './page-secret.ts'
