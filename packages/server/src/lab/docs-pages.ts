/** The documentation as pages of the lab, where it lies beside the program: in a checkout, not in the npm package. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { marked } from 'marked'
import { renderPage } from '../server/pages/page.ts'

const folder = new URL('../../../../docs/', import.meta.url)

/** Whether there is any documentation to show. */
export const hasDocs: boolean = existsSync(folder)

/** Serves every page below `/docs/`, rendered once. Links among pages keep their `.md`. */
export function serveDocs(app: FastifyInstance): void {
  if (!hasDocs) return
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.md')) continue
    const page = renderDocs(readFileSync(fileURLToPath(new URL(name, folder)), 'utf8'))
    app.get(`/docs/${name}`, (_request, reply) => reply.type('text/html; charset=utf-8').send(page))
  }
}

/** A page of our own repository: its HTML is trusted, and the policy of the site forbids scripts in it all the same. */
function renderDocs(markdown: string): string {
  const title = /^# (.+)$/m.exec(markdown)?.[1] ?? 'Countersign'
  const body = marked.parse(markdown, { async: false, gfm: true })
  return renderPage({
    title: `${title} · Countersign`,
    styles: ['/assets/lab/docs.css'],
    modules: [],
    main: { html: `<main class="docs"><p><a href="/lab">Back to the lab</a></p>${body}</main>` },
  })
}
