/** The login page: one form, one place for errors, demonstration accounts only where they are given. */
import type { DemoAccount } from '../site-options.ts'
import { html, type Html } from './html.ts'
import { renderPage } from './page.ts'

/** What the page shows. */
export interface LoginModel {
  /** Token of the form, bound to the form's cookie. */
  readonly csrf: string
  /** Name that was typed before; never a password. */
  readonly username: string
  /** Why the last try failed, in one sentence. */
  readonly error: string | undefined
  readonly demo: readonly DemoAccount[]
}

/** The sentences of the one error place. They tell a wrong name from a wrong password as little as the status does. */
export const loginErrors = {
  invalid_credential: 'That name and password do not belong together.',
  too_many_attempts: 'Too many tries. Wait a little before the next one.',
  overloaded: 'The server is busy. Try again in a few seconds.',
  stale_form: 'This form was too old. Here is a fresh one: try again.',
} as const

/** The page as text. */
export function renderLogin(model: LoginModel): string {
  return renderPage({
    title: 'Log in · Countersign',
    styles: ['/assets/site.css'],
    modules: model.demo.length === 0 ? [] : ['/assets/browser/login.js'],
    main: html`<main class="${model.demo.length === 0 ? 'entry' : 'entry entry--wide'}">
      <header class="entry__head">
        <p class="brand">Countersign</p>
        <p class="muted">
          Decides who may speak on a WebSocket, and keeps that decision true for as long as the socket lives.
        </p>
      </header>
      <section class="card stack" aria-labelledby="title">
        <h1 id="title">Log in</h1>
        ${form(model)}
      </section>
      ${model.demo.length === 0 ? undefined : demonstration(model.demo)}
    </main>`,
  })
}

/** The error place is always there, so that nothing moves when it speaks. */
function form(model: LoginModel): Html {
  const failed = model.error === undefined ? 'false' : 'true'
  return html`<form method="post" action="/login" class="stack" id="login">
    <input type="hidden" name="csrf" value="${model.csrf}" />
    <div class="field">
      <label for="username">User name</label>
      <input
        class="input"
        id="username"
        name="username"
        type="text"
        value="${model.username}"
        required
        maxlength="64"
        autocomplete="username"
        autocapitalize="none"
        autocorrect="off"
        spellcheck="false"
        aria-describedby="error"
        aria-invalid="${failed}"
      />
    </div>
    <div class="field">
      <label for="password">Password</label>
      <input
        class="input"
        id="password"
        name="password"
        type="password"
        required
        maxlength="1024"
        autocomplete="current-password"
        aria-describedby="error"
        aria-invalid="${failed}"
      />
    </div>
    <p id="error" class="entry__error" role="alert">${model.error}</p>
    <button class="button button--primary entry__submit" type="submit">Log in</button>
  </form>`
}

function demonstration(accounts: readonly DemoAccount[]): Html {
  return html`<section class="card stack" aria-labelledby="demo">
    <h2 id="demo">Demonstration accounts</h2>
    <p class="muted">Their passwords are public. A button fills the form; you still log in yourself.</p>
    <ul class="demo">
      ${accounts.map(
        (account) =>
          html`<li>
            <button
              class="button demo__button"
              type="button"
              data-username="${account.username}"
              data-password="${account.password}"
            >
              <span
                ><strong>${account.username}</strong>
                <span class="muted">${account.roles.join(', ')}</span></span
              >
              <code>${account.password}</code>
            </button>
          </li>`,
      )}
    </ul>
  </section>`
}
