/** The page that a person sees instead of a refusal: what happened and what to do, in constant words. */
import type { Word } from '../refuse.ts'
import { html } from './html.ts'
import { renderPage } from './page.ts'

interface Message {
  readonly title: string
  readonly words: string
}

const general: Message = {
  title: 'That did not work',
  words: 'The server refused this request. Go back, reload the page and try again.',
}

const messages: Partial<Readonly<Record<Word, Message>>> = {
  not_found: { title: 'Nothing is here', words: 'The address may be mistyped, or the page has moved.' },
  forbidden_origin: {
    title: 'Sent from another origin',
    words:
      'Forms are taken from pages of this site only. Open the page under the address that this site was given.',
  },
  wrong_host: {
    title: 'Not this address',
    words:
      'This server does not answer to the name in the address bar. Use the address that it prints when it starts.',
  },
  internal: { title: 'The server failed', words: 'Nothing was changed. Try again in a moment.' },
}

/** The page as text. */
export function renderMessage(word: Word): string {
  const { title, words } = messages[word] ?? general
  return renderPage({
    title: `${title} · Countersign`,
    styles: ['/assets/site.css'],
    modules: [],
    main: html`<main class="entry">
      <header class="entry__head"><p class="brand">Countersign</p></header>
      <section class="card stack">
        <h1>${title}</h1>
        <p>${words}</p>
        <p class="muted small">Reason: <code>${word}</code></p>
        <p><a href="/">Go to the start page</a></p>
      </section>
    </main>`,
  })
}
