import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { auditConfigSchema, parseAuditConfig } from '../../../packages/server/src/cli/audit-config.ts'
import { audit } from '../../../packages/server/src/cli/audit.ts'
import { replCommandNames } from '../../../packages/server/src/cli/audit-repl-commands.ts'
import { auditExitMeanings } from '../../../packages/server/src/reports/exit.ts'
import { root } from '../../../tools/processes.ts'
import { blocksOf } from '../../support/docs.ts'

const path = 'docs/guide/audit.md'
const text = readFileSync(join(root, path), 'utf8')
const environment = { AUDIT_LOW_PASSWORD: 'one of mara', AUDIT_HIGH_PASSWORD: 'one of otto' }

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

/** Every key of a schema, innermost names only; what free records hold is no key. */
function keysOf({ properties = {}, items }: Schema): readonly string[] {
  const own = Object.entries(properties).flatMap(([name, inner]) => {
    const below = keysOf(inner)
    return below.length === 0 ? [name] : below
  })
  return items === undefined ? own : [...own, ...keysOf(items)]
}

describe('the page about audits', () => {
  it('names every key of the configuration in its table', () => {
    const table = text.slice(text.indexOf('## Configuration'), text.indexOf('## Outcomes'))
    const keys = new Set(keysOf(auditConfigSchema()))
    expect(keys.size).toBeGreaterThan(40)
    const named = (key: string): boolean => new RegExp(`[\`.]${key}\``).test(table)
    expect([...keys].filter((key) => !named(key))).toEqual([])
  })

  it('shows configurations that are read', () => {
    const yaml = blocksOf({ path, text }).filter(({ language }) => language === 'yaml')
    expect(yaml.length).toBeGreaterThan(0)
    for (const block of yaml)
      expect(parseAuditConfig('audit.yaml', block.text, environment)).toMatchObject({ kind: 'config' })
  })

  it.each(['chat', 'console'])('leads to a configuration of examples/%s that is read', (name) => {
    const file = join(root, 'examples', name, 'audit.yaml')
    expect(text).toContain(`examples/${name}/audit.yaml`)
    const reading = parseAuditConfig(file, readFileSync(file, 'utf8'), {})
    expect(reading).toMatchObject({ kind: 'config' })
  })

  it('names every option of the command, every command of a conversation and every exit code', () => {
    const missing = [
      'config',
      'allow',
      'out',
      'baseline',
      'fail-on',
      'repl',
      'intrusive',
      'allow-crash-probes',
    ]
      .filter((name) => Object.hasOwn(audit.options, name))
      .map((name) => `--${name}`)
      .filter((name) => !text.includes(name))
    expect(missing).toEqual([])
    expect(replCommandNames.filter((name) => !text.includes(`\`.${name}`))).toEqual([])
    for (const [code] of auditExitMeanings) expect(text).toMatch(new RegExp(`^\\| ${code} \\| `, 'm'))
  })

  it('leads to a workflow that may write to code scanning, and uploads what the audit wrote', () => {
    const file = 'docs/guide/audit-workflow.yaml'
    expect(text).toContain('(audit-workflow.yaml)')
    const workflow: {
      permissions: Record<string, string>
      jobs: Record<string, { steps: { run?: string; uses?: string; with?: Record<string, string> }[] }>
    } = parse(readFileSync(join(root, file), 'utf8'))
    expect(workflow.permissions).toEqual({ contents: 'read', 'security-events': 'write' })
    const steps = Object.values(workflow.jobs).flatMap((job) => job.steps)
    const upload = steps.find(({ uses }) => uses?.startsWith('github/codeql-action/upload-sarif@') === true)
    const command = steps.find(({ run }) => run?.includes('countersign audit') === true)?.run ?? ''
    const options = [...command.matchAll(/ --([\w-]+)/g)].map(([, name = '']) => name)
    expect(options.filter((name) => !Object.hasOwn(audit.options, name))).toEqual([])
    expect(command).toContain(`--out ${upload?.with?.['sarif_file'] ?? 'nothing'}`)
  })
})
