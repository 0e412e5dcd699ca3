/** Who answers a call to a shared registration (WAMP, advanced profile, shared registrations and call rerouting). */
import type { Registration } from './dealer-types.ts'
import type { RouterPorts } from './ports.ts'
import type { Session } from './session.ts'

/**
 * The callee whose turn it is under the registration's policy. `single` has one, which is the first.
 * @param ports for `random`, which need not be secret
 * @returns `undefined` when there is none left
 */
export function chooseCallee(registration: Registration, ports: RouterPorts): Session | undefined {
  const { callees, policy } = registration
  if (policy === 'last') return callees.at(-1)
  if (policy === 'random') return callees[ports.pick(callees.length)]
  if (policy !== 'roundrobin') return callees[0]
  const turn = registration.next % callees.length
  registration.next = turn + 1
  return callees[turn]
}

/**
 * As `chooseCallee`, as if those who cannot take the call did not exist: under `first` the one that registered next, under
 * `last` the one before, under `roundrobin` the next in the queue, whose successor is then next for everybody.
 * @param can whether a callee has not refused yet and supports what the call needs
 */
export function chooseOther(
  registration: Registration,
  ports: RouterPorts,
  can: (callee: Session) => boolean,
): Session | undefined {
  const { callees, policy } = registration
  if (policy === 'roundrobin') return nextInTurn(registration, can)
  if (policy === 'last') return callees.findLast(can)
  if (policy !== 'random') return callees.find(can)
  const left = callees.filter(can)
  return left.length === 0 ? undefined : left[ports.pick(left.length)]
}

/** Goes once around the queue, beginning with the callee whose turn it is. */
function nextInTurn(registration: Registration, can: (callee: Session) => boolean): Session | undefined {
  const { callees, next } = registration
  for (let step = 0; step < callees.length; step += 1) {
    const turn = (next + step) % callees.length
    const callee = callees[turn]
    if (callee === undefined || !can(callee)) continue
    registration.next = turn + 1
    return callee
  }
  return undefined
}
