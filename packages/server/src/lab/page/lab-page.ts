import { casesOf, doorSheets, labCases } from '../cases.ts'
import { renderCard } from './card.ts'
import { renderGate } from './gate.ts'
import { html, type Html } from '../../server/pages/html.ts'
import { jsonBlock } from './json-block.ts'
import { leaseSamples, readSample, type SampleName } from './samples.ts'

/** What the page at `/lab` is made of. */
export interface LabModel {
  readonly username: string
  readonly roles: readonly string[]
  /** Version of the program. */
  readonly version: string
  /** Where each door listens: `ws://localhost:8001/`. */
  readonly doors: readonly { readonly id: string; readonly url: string }[]
  /** Origin of the hostile site. */
  readonly hostileOrigin: string
  /** Where `docs/…` can be read, with a final slash; `undefined` shows paths without links. */
  readonly docsBase?: string | undefined
}

const samples = new Map<SampleName, string>()

/** The lab as an HTML document. Scripts and styles come from `/assets`, nothing is inline. */
export function renderLab(model: LabModel): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Countersign lab</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/assets/base.css" />
        <link rel="stylesheet" href="/assets/lab/lab.css" />
        <link rel="stylesheet" href="/assets/lab/strip.css" />
        <link rel="stylesheet" href="/assets/lab/doors.css" />
        <link rel="stylesheet" href="/assets/lab/details.css" />
        <script type="module" src="/assets/lab/main.js"></script>
      </head>
      <body class="lab">
        <a class="skip" href="#doors">Skip to the doors</a>
        ${renderHead(model)}
        <main>
          ${renderStrip()} ${renderRun()} ${renderDoors(model)} ${renderAttacker(model)} ${renderJournal()}
        </main>
        <footer class="lab-foot small muted">
          <p>Countersign ${model.version}. This lab listens on loopback only; its passwords are public.</p>
        </footer>
        <script type="application/json" id="lab-data">
          ${jsonBlock(dataOf(model))}
        </script>
      </body>
    </html> `.html
}

/** What the page's script needs to know. */
function dataOf({ username, docsBase = '' }: LabModel): object {
  return { username, docsBase, cases: labCases }
}

function renderHead({ username, roles }: LabModel): Html {
  return html`<header class="lab-head">
    <h1 class="lab-head__what">
      <strong>Countersign</strong> <span>Every way to knock at a WebSocket, tried in this browser</span>
    </h1>
    <p class="lab-head__who">
      <span><strong>${username}</strong> <span class="muted">${roles.join(', ')}</span></span>
      <span class="lab-head__lease"
        ><span data-lease-label>login ends in</span> <span data-lease class="lab-head__clock">–:–</span>
        <span class="lab-head__socket muted" data-own-socket>socket closed</span></span
      >
      <button class="button button--small" type="button" data-log-out>Log out</button>
    </p>
    <p class="notice notice--warn lab-head__end" data-login-end role="alert" hidden>
      <span data-login-end-words></span> <a href="/login">Log in again</a>
    </p>
  </header>`
}

function renderStrip(): Html {
  return html`<section class="strip" aria-labelledby="strip-title">
    <h2 class="visually-hidden" id="strip-title">The gates</h2>
    <ol class="strip__gates">
      ${doorSheets.map((door) => renderGate(door, casesOf(door.id).length))}
    </ol>
  </section>`
}

function renderRun(): Html {
  return html`<section class="run" aria-labelledby="run-title">
    <h2 class="visually-hidden" id="run-title">Run</h2>
    <div class="run__start">
      <button class="button button--primary" type="button" data-run-all disabled>Run all</button>
      <label class="switch"><input type="checkbox" data-slow /> with the cases that wait</label>
    </div>
    <div class="run__progress">
      <progress data-progress max="1" value="0" aria-label="Cases that have run"></progress>
      <p class="run__words" data-progress-words role="status">Nothing has run yet.</p>
    </div>
    <fieldset class="run__filter">
      <legend class="visually-hidden">Show</legend>
      <label class="switch"><input type="radio" name="filter" value="all" checked /> all</label>
      <label class="switch"><input type="radio" name="filter" value="surprising" /> surprising only</label>
    </fieldset>
    <p class="run__engine small muted"><span data-engine>in this browser</span></p>
    <button class="button button--small" type="button" data-export disabled>Export JSON</button>
    <p class="notice notice--bad run__trouble" data-trouble role="alert" hidden></p>
    <noscript
      ><p class="notice notice--warn">
        The lab opens WebSockets from this page, so it needs scripts.
      </p></noscript
    >
  </section>`
}

function renderDoors({ doors }: LabModel): Html {
  const urlOf = (id: string): string => doors.find((door) => door.id === id)?.url ?? ''
  return html`<section class="doors" id="doors" aria-labelledby="doors-title" tabindex="-1">
    <h2 id="doors-title">The doors</h2>
    <p class="notice" data-nothing-surprising hidden>
      Nothing surprising: every case that has run ended as expected.
    </p>
    <div class="doors__cards">
      ${doorSheets.map((door) =>
        renderCard({
          door,
          url: urlOf(door.id),
          cases: casesOf(door.id),
          sample: sampleOf(door.id),
          wampSample: door.id === 'D12' || door.id === 'D13' ? sampleOf(`${door.id}-wamp`) : undefined,
        }),
      )}
    </div>
    ${leaseSamples.map((name) => html`<template data-sample="${name}">${sampleOf(name)}</template>`)}
  </section>`
}

function sampleOf(id: SampleName): string {
  const known = samples.get(id)
  if (known !== undefined) return known
  const sample = readSample(id)
  samples.set(id, sample)
  return sample
}

function renderAttacker({ hostileOrigin }: LabModel): Html {
  return html`<section class="attacker" aria-labelledby="attacker-title">
    <h2 id="attacker-title">The attacker’s view</h2>
    <p>
      A page on another origin, <code>${hostileOrigin}</code>, knocks at every door. The browser lends it your
      cookies and remembered passwords: same host, other port, so SameSite does not hold them back. What it
      manages to do is shown as it sees it.
    </p>
    <iframe
      class="attacker__frame"
      data-hostile
      title="A page on another origin"
      data-origin="${hostileOrigin}"
    ></iframe>
  </section>`
}

function renderJournal(): Html {
  return html`<section class="journal" aria-labelledby="journal-title">
    <h2 id="journal-title">Live log</h2>
    <p class="journal__state small muted" data-journal-state role="status">connecting …</p>
    <div class="journal__frame" role="region" aria-label="Entries of the log" tabindex="0">
      <ol class="journal__lines" data-journal></ol>
      <p class="journal__empty muted" data-journal-empty>
        Nothing yet. Every knock is written here: accepted, refused with its reason, and how leases end.
      </p>
    </div>
  </section>`
}
