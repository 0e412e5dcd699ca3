/** What others demand of the files: the schema of SARIF, and that of JUnit XML. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import multitool from '@microsoft/sarif-multitool'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { validateXML } from 'xmllint-wasm'

const schema: object = JSON.parse(readFileSync(join(dirname(multitool), 'sarif-2.1.0.json'), 'utf8'))
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
const validate = ajv.compile(schema)

/** What the schema of OASIS says against a log. */
export function sarifErrors(log: unknown): readonly string[] {
  return validate(log)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`)
}

const junit = readFileSync(new URL('junit.xsd', import.meta.url), 'utf8')

/** What an XML parser and the schema say against a report. */
export async function junitErrors(xml: string): Promise<readonly string[]> {
  const { errors } = await validateXML({
    xml: [{ fileName: 'report.xml', contents: xml }],
    schema: [{ fileName: 'junit.xsd', contents: junit }],
  })
  return errors.map(({ message }) => message)
}
