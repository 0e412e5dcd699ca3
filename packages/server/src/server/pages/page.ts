/** The frame of every page of the site: one document, its style sheets, its modules. */
import { html, type Hole, type Html } from './html.ts'

/** What differs from page to page. */
export interface Page {
  readonly title: string
  /** Paths of style sheets beside the common one. */
  readonly styles: readonly string[]
  /** Paths of ES modules. */
  readonly modules: readonly string[]
  readonly main: Hole
}

/** The whole document, as text. */
export function renderPage(page: Page): string {
  const document: Html = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title}</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/base.css" />
        ${page.styles.map((path) => html`<link rel="stylesheet" href="${path}" />`)}
        ${page.modules.map((path) => html`<script type="module" src="${path}"></script>`)}
      </head>
      <body>
        ${page.main}
      </body>
    </html> `
  return document.html
}
