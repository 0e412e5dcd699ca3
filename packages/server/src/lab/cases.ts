/** The table of the lab: doors × cases, what each must show and why. Pure data, shared by page, report and tests. */
import type { DoorId, Engine, LabCase } from './browser/case.ts'
import type { Outcome } from './browser/outcome.ts'
import {
  aliasCases,
  basicCases,
  frameCases,
  machineCases,
  preauthCases,
  sessionCases,
} from './cases/ambient.ts'
import { firstMessageCases, queryCases, subprotocolCases, urlCases } from './cases/bearer.ts'
import { leaseCases } from './cases/leases.ts'
import { socketIoCases } from './cases/socket-io.ts'
import { wampTicketCases } from './cases/wamp.ts'
import { certificateCases, challengeCases, loginSecretCases } from './cases/proof.ts'

export type { CaseResult, DoorId, Engine, LabCase, LabReport, RunOptions } from './browser/case.ts'
export { describeOutcome } from './browser/outcome.ts'
export { doorSheets } from './cases/doors.ts'

/** Every case, by door, in the order in which a door's cases run: what needs a clean browser comes first. */
export const labCases: readonly LabCase[] = [
  ...firstMessageCases,
  ...leaseCases('D1'),
  ...queryCases,
  ...leaseCases('D2'),
  ...frameCases,
  ...leaseCases('D3'),
  ...basicCases,
  ...leaseCases('D4'),
  ...machineCases,
  ...leaseCases('D5'),
  ...subprotocolCases,
  ...leaseCases('D6'),
  ...sessionCases,
  ...leaseCases('D7'),
  ...aliasCases,
  ...leaseCases('D8'),
  ...preauthCases,
  ...leaseCases('D9'),
  ...urlCases,
  ...leaseCases('D10'),
  ...certificateCases,
  ...leaseCases('D11'),
  ...challengeCases,
  ...leaseCases('D12'),
  ...loginSecretCases,
  ...leaseCases('D13'),
  ...socketIoCases,
  ...leaseCases('D14'),
  ...wampTicketCases,
  ...leaseCases('D15'),
]

/** The cases of one door. */
export function casesOf(door: DoorId): readonly LabCase[] {
  return labCases.filter((one) => one.door === door)
}

/** What an engine must show. */
export function expectedIn(one: LabCase, engine: Engine): Outcome {
  return one.differs[engine]?.expected ?? one.expected
}
