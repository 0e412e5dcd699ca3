import { mask } from './mask.ts'

/** One line that passed between this page and its site, secrets masked. */
export interface SiteLine {
  readonly from: 'browser' | 'site'
  readonly text: string
  /** Whether it decided the case. @default false */
  readonly deciding?: boolean
}

/** Hears what passes. */
export type Witness = (line: SiteLine) => void

/** An answer of the site, JSON and not believed further than that. */
export type Answer = Readonly<Record<string, unknown>>

const deaf: Witness = () => undefined

/** What is said when the site cannot be reached, in place of the browser's own words. */
export const siteSilence = 'The lab’s site does not answer.'

/** `fetch` from the page's own site. @throws Error with `siteSilence` when no answer comes */
export async function askSite(path: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(path, init)
  } catch (error) {
    throw new Error(siteSilence, { cause: error })
  }
}

/** Posts JSON to the site under this page's login. @throws Error with the status when the site refuses, or with `siteSilence` */
export async function postJson(path: string, body: Answer, witness: Witness = deaf): Promise<Answer> {
  const text = JSON.stringify(body)
  witness({ from: 'browser', text: mask(`POST ${path}`) })
  witness({ from: 'browser', text: mask(text) })
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  return readAnswer(await askSite(path, { method: 'POST', headers, body: text }), witness)
}

/** Reads JSON from the site under this page's login. @throws Error with the status when the site refuses, or with `siteSilence` */
export async function getJson(
  path: string,
  witness: Witness = deaf,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  witness({ from: 'browser', text: mask(`GET ${path}`) })
  return readAnswer(await askSite(path, { headers: { accept: 'application/json', ...more } }), witness)
}

async function readAnswer(response: Response, witness: Witness): Promise<Answer> {
  const text = await response.text()
  witness({ from: 'site', text: `${response.status} ${response.statusText}`.trim() })
  if (text !== '') witness({ from: 'site', text: mask(text).slice(0, 300) })
  if (!response.ok) throw new Error(`${new URL(response.url).pathname} answered ${response.status}`)
  const value: unknown = text === '' ? {} : JSON.parse(text)
  return isAnswer(value) ? value : {}
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A text member of an answer. @throws Error when it is missing */
export function textOf(answer: Answer, member: string): string {
  const value = answer[member]
  if (typeof value !== 'string') throw new Error(`the site answered without ${member}`)
  return value
}
