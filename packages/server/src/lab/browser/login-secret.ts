/** The page that carries its secret: takes it out of the document, opens D13 with it and says what happened. */
import type { Credential } from './credential.ts'
import { find, make } from './dom.ts'
import { knock } from './knock.ts'
import { describeOutcome } from './outcome.ts'
import { planAt } from './plan.ts'
import { textOf, type Answer } from './site.ts'

/** Longest wait for the door, ms. */
const patienceMs = 13_000

const steps = find('[data-steps]', HTMLElement)
const outcome = find('[data-outcome]', HTMLElement)

function tell(words: string): void {
  steps.append(make('li', '', words))
}

/** Reads the block and removes it, in that order and with nothing between. @throws Error when it is gone */
function takeSecret(): Credential {
  const block = find('#countersign-secret', HTMLScriptElement)
  const text = block.textContent
  block.remove()
  const given: Answer = JSON.parse(text)
  return { kind: 'pair', username: textOf(given, 'authid'), secret: textOf(given, 'secret') }
}

async function openDoor(credential: Credential): Promise<void> {
  const url = find('[data-door-url]', HTMLElement).dataset['doorUrl'] ?? ''
  const plan = planAt('challenge', { url, credential, oldSignature: '' })
  const visit = await knock(plan, { patienceMs, behind: [] })
  visit.close()
  if (visit.signature !== '') tell('D13 asked a fresh question, and the secret answered it by WAMP-CRA.')
  const isOpen = visit.measured.kind === 'accepted'
  outcome.classList.add(isOpen ? 'notice--ok' : 'notice--bad')
  outcome.textContent = isOpen
    ? `D13 opens and greets ${visit.greeted ?? 'nobody'}.`
    : `D13 did not open: ${describeOutcome(visit.measured)}.`
}

try {
  const credential = takeSecret()
  tell('The script read the name and the secret, and removed the block: the document holds them no more.')
  await openDoor(credential)
} catch {
  outcome.classList.add('notice--bad')
  outcome.textContent = 'This page has no secret any more. Reload it to get another.'
}
