import { doorSheets } from '../cases/doors.ts'
import { html, type Html } from '../../server/pages/html.ts'
import { jsonBlock } from './json-block.ts'

/** What the hostile page is made of. */
export interface HostileModel {
  /** Origin of the lab's page: the only one that it takes orders from and reports to. */
  readonly labOrigin: string
  /** Where each door listens: `ws://localhost:8001/`. */
  readonly doors: readonly { readonly id: string; readonly url: string }[]
}

const tries: Readonly<Record<string, string>> = {
  D3: 'the frame’s cookie',
  D4: 'a remembered password',
  D7: 'the login’s cookie',
  D9: 'the preauth cookie',
  D11: 'a client certificate',
  D14: 'the login’s cookie',
}

/** The page on another origin, for the attacker's panel or for a tab of its own (`/attack?door=all`). */
export function renderHostile({ labOrigin, doors }: HostileModel): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>A page on another origin</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/assets/base.css" />
        <link rel="stylesheet" href="/assets/lab/hostile.css" />
        <script type="module" src="/assets/lab/hostile.js"></script>
      </head>
      <body class="hostile">
        <main>
          <header class="hostile__head">
            <h1 class="hostile__title">A page on another origin</h1>
            <button class="button button--small" type="button" id="attack-all">Knock at every door</button>
          </header>
          <ol class="attempts">
            ${doorSheets.map(({ id, name }) => renderAttempt(id, name))}
          </ol>
        </main>
        <script type="application/json" id="hostile-data">
          ${jsonBlock({ lab: labOrigin, targets: doors.map(({ id, url }) => ({ id, url })) })}
        </script>
      </body>
    </html> `.html
}

function renderAttempt(id: string, name: string): Html {
  return html`<li class="attempt" data-target="${id}" data-state="idle">
    <span class="attempt__door"><strong>${id}</strong> ${name}</span>
    <span class="attempt__with">brings ${tries[id] ?? 'nothing'}</span>
    <span class="attempt__outcome">not tried</span>
  </li>`
}
