/** The page of someone who is logged in, for sites without a home of their own. */
import { html } from './html.ts'
import { renderPage } from './page.ts'

/** What the account page shows. */
export interface AccountModel {
  readonly username: string
  readonly roles: readonly string[]
  readonly expiresInMinutes: number
  /** Token of the logout form, bound to the session. */
  readonly csrf: string
}

/** The page as text. */
export function renderAccount(model: AccountModel): string {
  return renderPage({
    title: 'Logged in · Countersign',
    styles: ['/assets/site.css'],
    modules: [],
    main: html`<main class="entry">
      <header class="entry__head"><p class="brand">Countersign</p></header>
      <section class="card stack" aria-labelledby="title">
        <h1 id="title">You are logged in</h1>
        <dl class="facts">
          <dt>User name</dt>
          <dd>${model.username}</dd>
          <dt>Roles</dt>
          <dd>${model.roles.length === 0 ? 'none' : model.roles.join(', ')}</dd>
          <dt>Ends when unused for</dt>
          <dd>${model.expiresInMinutes} minutes</dd>
        </dl>
        <p class="muted">Logging out ends every WebSocket that this login opened.</p>
        <form method="post" action="/logout">
          <input type="hidden" name="csrf" value="${model.csrf}" />
          <button class="button" type="submit">Log out</button>
        </form>
      </section>
    </main>`,
  })
}
