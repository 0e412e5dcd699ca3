import { html } from '../../server/pages/html.ts'
import { renderPage } from '../../server/pages/page.ts'
import { jsonBlock } from './json-block.ts'

/** What the page at `/lab/login-secret` is made of. */
export interface LoginSecretModel {
  /** Name and secret made for this load of the page. */
  readonly given: { readonly authid: string; readonly secret: string }
  /** Where D13 listens: `ws://localhost:8013/`. */
  readonly doorUrl: string
  /** Page that explains the door; `undefined` where the documentation is not served. */
  readonly docs: string | undefined
}

/**
 * A page that carries a secret in its own HTML, in a block that no browser executes.
 * Send it with `no-store` and uncompressed; its script removes the block as soon as it has read it.
 */
export function renderLoginSecret({ given, doorUrl, docs }: LoginSecretModel): string {
  return renderPage({
    title: 'A secret in the page · Countersign lab',
    styles: ['/assets/lab/docs.css'],
    modules: ['/assets/lab/login-secret.js'],
    main: html`<main class="docs" data-door-url="${doorUrl}">
      <p><a href="/lab#D13">Back to the lab</a></p>
      <h1>A secret in the page</h1>
      <p>
        The site made a name and a secret for this load of the page and put them into its HTML. A script takes
        them out and answers the challenge of D13 with them.
      </p>
      <ol data-steps aria-live="polite"></ol>
      <p class="notice" data-outcome role="status">Nothing has happened yet.</p>
      <p>
        Every load makes another secret; all of them end when you log out.
        ${docs === undefined ? undefined : html`<a href="${docs}">How secret is that?</a>`}
      </p>
      <noscript><p class="notice notice--warn">Answering a challenge needs scripts.</p></noscript>
      <script type="application/json" id="countersign-secret">
        ${jsonBlock({ authid: given.authid, secret: given.secret })}
      </script>
    </main>`,
  })
}
