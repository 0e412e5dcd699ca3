/** The two pages: the form, and the console. Everything else is done by modules in `public`. */
import { accounts } from './accounts.ts'

/** What the form shows. */
export interface LoginModel {
  /** Name that was typed before; never a password. */
  readonly username?: string
  /** Why the last try failed, in one sentence. */
  readonly error?: string
  readonly insecure: boolean
}

/** The form as a page. */
export function loginPage({ username = '', error = '', insecure }: LoginModel): string {
  const invalid = error === '' ? 'false' : 'true'
  return page({
    title: 'Log in · Console',
    module: 'login.js',
    insecure,
    body: `<main class="entry">
  <header><p class="brand">Console</p><p class="muted">A few commands of this server, for those whom it knows.</p></header>
  <form class="card stack" method="post" action="/login">
    <h1>Log in</h1>
    <div class="field"><label for="username">User name</label>
      <input class="input" id="username" name="username" value="${escaped(username)}" required maxlength="64"
        autocomplete="username" autocapitalize="none" spellcheck="false" aria-describedby="error" aria-invalid="${invalid}"></div>
    <div class="field"><label for="password">Password</label>
      <input class="input" id="password" name="password" type="password" required maxlength="256"
        autocomplete="current-password" aria-describedby="error" aria-invalid="${invalid}"></div>
    <p id="error" class="error" role="alert">${escaped(error)}</p>
    <button class="button button--primary" type="submit">Log in</button>
  </form>
  <section class="stack" aria-labelledby="demo"><h2 id="demo">Demonstration accounts</h2>
    <p class="muted small">Their passwords are public. A button fills the form; you still log in yourself.</p>
    <ul class="accounts">${accounts
      .map(
        ({ username, password, role }) =>
          `<li><button class="button account" type="button" data-username="${username}" data-password="${escaped(password)}"><strong>${username}</strong><span class="muted">${role}</span></button></li>`,
      )
      .join('')}</ul></section>
</main>`,
  })
}

/** The console as a page: empty until its socket is greeted. */
export function consolePage(who: string, insecure: boolean): string {
  return page({
    title: 'Console',
    module: 'console.js',
    insecure,
    body: `<header class="bar">
  <p class="brand">Console</p>
  <p class="who"><strong>${escaped(who)}</strong> <span id="role" class="chip"></span></p>
  <p class="lease"><span id="state" class="state" data-state="connecting">connecting</span> <span id="lease" class="muted"></span></p>
  <form method="post" action="/logout"><button class="button button--small" type="submit">Log out</button></form>
</header>
<main class="desk">
  <nav class="commands" aria-label="Commands"><h2 class="small muted">Commands</h2><ul id="commands"></ul></nav>
  <section class="pane" aria-label="Output">
    <p id="notice" class="notice" role="status" hidden></p>
    <div id="output" class="output" role="log" aria-live="off" aria-label="What commands said" tabindex="0"><p id="empty" class="empty muted">Choose a command, or type one below. <kbd>↑</kbd> brings back what you typed before.</p></div>
    <p id="said" class="visually-hidden" role="status"></p>
    <form id="prompt" class="prompt" autocomplete="off">
      <label class="visually-hidden" for="line">Command</label>
      <span class="mark" aria-hidden="true">›</span>
      <input id="line" name="line" list="known" maxlength="240" spellcheck="false" autocapitalize="none" placeholder="command" disabled>
      <datalist id="known"></datalist>
      <button class="button button--primary" type="submit" disabled>Run</button>
    </form>
  </section>
</main>`,
  })
}

const banner = `<p class="banner" role="alert"><strong>Insecure twin.</strong> This console has holes on purpose, for audits to find. Never show it to a network.</p>`

function page(model: {
  readonly title: string
  readonly module: string
  readonly insecure: boolean
  readonly body: string
}): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${model.title}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/style.css">
<script type="module" src="/assets/${model.module}"></script>
</head>
<body>
${model.insecure ? banner : ''}
${model.body}
</body>
</html>
`
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as it may stand in text and in quoted attribute values. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => escapes[char] ?? char)
}
