import type { CaseResult, LabReport, RunOptions } from './case.ts'
import { find } from './dom.ts'
import { saveReport } from './save.ts'
import { postJson, siteSilence } from './site.ts'

/** What the controls set in motion. */
export interface ControlActions {
  readonly run: (options: RunOptions) => void
  readonly filter: (surprisingOnly: boolean) => void
  /** The page is about to log out. */
  readonly leave: () => void
}

/** The bar above the doors. */
export interface Controls {
  readonly enable: () => void
  readonly planned: (total: number) => void
  readonly finished: (result: CaseResult) => void
  readonly done: (report: LabReport) => void
  readonly trouble: (error: unknown) => void
  readonly hasCertificate: () => boolean
}

/** Finds the bar and listens to it. */
export function startControls(actions: ControlActions): Controls {
  const all = find('[data-run-all]', HTMLButtonElement)
  const slow = find('[data-slow]', HTMLInputElement)
  const certificate = find('[data-client-certificate]', HTMLInputElement)
  const save = find('[data-export]', HTMLButtonElement)
  const trouble = find('[data-trouble]', HTMLElement)
  const runs = [all, ...doorButtons(actions)]
  let report: LabReport | undefined
  all.addEventListener('click', () => {
    if (!isBusy(all)) actions.run({ slow: slow.checked })
  })
  save.addEventListener('click', () => report && saveReport(report))
  listenToFilter(actions)
  listenToLogOut(actions)
  const progress = showProgress()
  const setBusy = (busy: boolean): void => {
    for (const button of runs) button.setAttribute('aria-disabled', String(busy))
  }
  return {
    enable: () => runs.forEach((button) => (button.disabled = false)),
    planned(total) {
      trouble.hidden = true
      setBusy(true)
      progress.begin(total)
    },
    finished: (result) => progress.count(result),
    done(finished) {
      report = finished
      save.disabled = false
      setBusy(false)
    },
    trouble(error) {
      trouble.textContent = wordsFor(error)
      trouble.hidden = false
      setBusy(false)
    },
    hasCertificate: () => certificate.checked,
  }
}

function wordsFor(error: unknown): string {
  const message = error instanceof Error ? error.message : 'the page failed'
  if (message === siteSilence) return `${siteSilence} Start the lab again, then reload this page.`
  return `The run stopped: ${message}. Reload to begin anew.`
}

function isBusy(button: HTMLElement): boolean {
  return button.getAttribute('aria-disabled') === 'true'
}

function doorButtons({ run }: ControlActions): readonly HTMLButtonElement[] {
  const buttons = [...document.querySelectorAll('[data-run-door]')].filter(
    (one) => one instanceof HTMLButtonElement,
  )
  for (const button of buttons) {
    button.addEventListener('click', () => {
      if (!isBusy(button)) run({ only: [button.dataset['runDoor'] ?? ''] })
    })
  }
  return buttons
}

function listenToFilter({ filter }: ControlActions): void {
  for (const choice of document.querySelectorAll('input[name="filter"]')) {
    choice.addEventListener('change', () =>
      filter(choice instanceof HTMLInputElement && choice.value === 'surprising'),
    )
  }
}

function listenToLogOut({ leave }: ControlActions): void {
  find('[data-log-out]', HTMLButtonElement).addEventListener('click', () => {
    leave()
    void postJson('/logout', {}).finally(() => location.assign('/'))
  })
}

interface Progress {
  readonly begin: (total: number) => void
  readonly count: (result: CaseResult) => void
}

function showProgress(): Progress {
  const bar = find('[data-progress]', HTMLProgressElement)
  const words = find('[data-progress-words]', HTMLElement)
  let done = 0
  let surprising = 0
  const write = (): void => {
    bar.value = done
    const verdict = surprising === 0 ? 'all as expected' : `${surprising} surprising`
    words.textContent = done < bar.max ? `${done} of ${bar.max}` : `${done} of ${bar.max}: ${verdict}`
  }
  return {
    begin(total) {
      done = 0
      surprising = 0
      bar.max = Math.max(1, total)
      write()
    },
    count(result) {
      done++
      if (!result.agrees) surprising++
      write()
    },
  }
}
