/** Three small services that this program runs and supervises: each works off a queue that fills by itself. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Names of the services. */
export const serviceNames = ['indexer', 'mailer', 'reports'] as const

/** Name of a service. */
export type ServiceName = (typeof serviceNames)[number]

/** How long a service takes to stop, and to start, ms. */
const changeMs = 250

/** How often a service works, ms. */
const everyMs = 500

interface Service {
  state: 'running' | 'stopping' | 'starting'
  starts: number
  jobs: number
  startedAtMs: number
  timer: NodeJS.Timeout
}

/** Starts them all; `close` stops them. */
export class Services {
  readonly #all: ReadonlyMap<ServiceName, Service>

  constructor() {
    this.#all = new Map(serviceNames.map((name) => [name, begun()]))
  }

  /** One line for each service. */
  lines(): readonly string[] {
    return [...this.#all].map(([name, { state, starts, jobs, startedAtMs }]) => {
      const seconds = Math.round((Date.now() - startedAtMs) / 1_000)
      return `${name.padEnd(9)}${state.padEnd(10)}start ${starts}, ${jobs} jobs in ${seconds} s`
    })
  }

  /** Stops a service and starts it again, a line for each step. A restart that was begun is completed, whoever listens. */
  async *restart(name: ServiceName): AsyncGenerator<string> {
    const service = this.#all.get(name)
    if (service === undefined) return
    if (service.state !== 'running') {
      yield `${name} is ${service.state} already`
      return
    }
    const restarted = restart(service)
    yield `${name}: stopping after ${service.jobs} jobs`
    await sleep(changeMs)
    yield `${name}: stopped, starting`
    await restarted
    yield `${name}: running, start ${service.starts}`
  }

  /** Stops all. */
  close(): void {
    for (const { timer } of this.#all.values()) clearInterval(timer)
  }
}

function begun(): Service {
  const service: Service = {
    state: 'running',
    starts: 1,
    jobs: 0,
    startedAtMs: Date.now(),
    timer: setInterval(() => work(service), everyMs).unref(),
  }
  return service
}

function work(service: Service): void {
  if (service.state === 'running') service.jobs++
}

async function restart(service: Service): Promise<void> {
  service.state = 'stopping'
  await sleep(changeMs)
  service.state = 'starting'
  await sleep(changeMs)
  Object.assign(service, { state: 'running', starts: service.starts + 1, jobs: 0, startedAtMs: Date.now() })
}
