/** A page and the scripts of its own site, as text: what an attacker reads first. */
import type { Scene } from './check.ts'
import { requestPage, type PageAnswer } from './page-request.ts'
import type { VisitNeeds } from './visit.ts'

/** Something that was read. */
export interface PageText {
  readonly url: URL
  readonly text: string
}

/** A page with its scripts. */
export interface PageRead {
  readonly answer: PageAnswer
  readonly texts: readonly PageText[]
}

const maxScripts = 20

/** Reads the page of a scene, as `low` where there is one. */
export async function readPage({ needs, endpoint, low }: Scene): Promise<PageRead | undefined> {
  const { page } = endpoint
  if (page === undefined) return undefined
  const answer =
    low === undefined ? await requestPage(needs, { url: page }) : await low.ask(page, { method: 'GET' })
  if (answer.kind === 'failed') return { answer, texts: [] }
  return { answer, texts: await readTexts(needs, page, answer.body) }
}

/** A page's own text and those of its scripts, asked for without credentials. */
export async function readTexts(needs: VisitNeeds, page: URL, body: string): Promise<readonly PageText[]> {
  const texts = await Promise.all(scriptsOf(body, page).map((url) => readScript(needs, url)))
  return [{ url: page, text: body }, ...texts.flatMap((text) => text ?? [])]
}

/** Addresses of a page's scripts on its own origin, at most 20. */
export function scriptsOf(html: string, page: URL): readonly URL[] {
  const sources = [...html.matchAll(/<script\b[^>]{0,1000}?\ssrc\s*=\s*["']?([^"'\s>]{1,2000})/gi)]
  return sources
    .flatMap(([, source = '']) => (URL.canParse(source, page.href) ? [new URL(source, page.href)] : []))
    .filter(({ origin }) => origin === page.origin)
    .slice(0, maxScripts)
}

async function readScript(needs: VisitNeeds, url: URL): Promise<PageText | undefined> {
  const answer = await requestPage(needs, { url })
  return answer.kind === 'answered' && answer.status === 200 ? { url, text: answer.body } : undefined
}
