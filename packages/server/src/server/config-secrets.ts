/** What a configuration says about secrets for challenge-response, and what is weak in it. */
import { existsSync, statSync } from 'node:fs'
import type { Finding } from './config-issues.ts'
import type { ChallengeSecretConfig, ConfigText } from './config-types.ts'

/** Fewer rounds of PBKDF2 than this are guessed through quickly. */
export const leastIterations = 100_000
/** Shorter secrets are guessed from one overheard exchange. */
export const leastSecretLength = 16

/** Secrets that stand in documentation, so that everyone has them: this project's, Crossbar.io's, Autobahn's, and the usual. */
export const documented: ReadonlySet<string> = new Set([
  'secret',
  'secret1',
  'secret2',
  'secret123',
  'password',
  'changeme',
  'change-me',
  'example',
  'test',
  'demo',
  'prq7+YkJ1/KlW1X0YczMHw==',
  'Xy$h2l-D',
  'open-sesame-plain',
  'open-sesame-salted',
  'joe-secret',
  'letmein',
])

/** Findings about `challengeSecrets`, and about the key that seals them. */
export function secretFindings(config: ConfigText & { path(written: string): string }): readonly Finding[] {
  const names = config.challengeSecrets.map(({ authid }) => authid)
  return config.challengeSecrets.flatMap((row, index) => [
    ...oneSecret(row, index, config),
    ...(names.indexOf(row.authid) < index
      ? [
          {
            level: 'error' as const,
            path: ['challengeSecrets', index, 'authid'],
            message: 'is taken by an earlier secret',
          },
        ]
      : []),
  ])
}

function oneSecret(
  row: ChallengeSecretConfig,
  index: number,
  config: { path(written: string): string },
): readonly Finding[] {
  const at = (key: string): readonly (string | number)[] => ['challengeSecrets', index, key]
  const findings: Finding[] = []
  if ((row.secret === undefined) === (row.secretFile === undefined)) {
    findings.push({
      level: 'error',
      path: ['challengeSecrets', index],
      message: 'needs exactly one of "secret" and "secretFile"',
    })
  }
  if (row.secret !== undefined) findings.push(...clearSecret(row.secret, at('secret')))
  if (row.secretFile !== undefined)
    findings.push(...secretFile(config.path(row.secretFile), at('secretFile')))
  if (row.salting !== undefined && row.salting.iterations < leastIterations) {
    const message = `${row.salting.iterations} rounds are few: a stolen exchange can be guessed through; use at least ${leastIterations}`
    findings.push({ level: 'warning', path: [...at('salting'), 'iterations'], message })
  }
  return findings
}

/** In clear, and perhaps known or short besides. The secret itself is never repeated. */
function clearSecret(secret: string, path: Finding['path']): readonly Finding[] {
  const clear: Finding = {
    level: 'warning',
    path,
    message: 'stands in the file in clear: move it to a file of its own with "secretFile"',
  }
  if (documented.has(secret))
    return [clear, { level: 'warning', path, message: 'is an example from documentation: everyone knows it' }]
  if (secret.length < leastSecretLength) {
    return [
      clear,
      {
        level: 'warning',
        path,
        message: `is shorter than ${leastSecretLength} characters: one overheard exchange lets it be guessed`,
      },
    ]
  }
  return [clear]
}

/** A file must be there, and be nobody else's to read. */
function secretFile(file: string, path: Finding['path']): readonly Finding[] {
  if (!existsSync(file)) return [{ level: 'error', path, message: `there is no file ${file}` }]
  return (statSync(file).mode & 0o077) === 0
    ? []
    : [{ level: 'warning', path, message: 'can be read by others: chmod 600 it' }]
}
