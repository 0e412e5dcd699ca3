/** The lab's block of ports: the site first, each door behind it, the hostile site at the end. */

/** The first port unless `--port` says otherwise. */
export const defaultPort = 8_000

/** Ports from the first that the lab may take: `first` to `first + span`. */
export const span = 40

/** Where everything listens. */
export interface LabPorts {
  readonly site: number
  readonly hostile: number
  /** Port of a door by its number: 1 for D1. */
  door(number: number): number
}

/** @throws RangeError when the block does not fit below 65,536 */
export function portsFrom(first: number): LabPorts {
  if (!Number.isInteger(first) || first < 1 || first + span > 65_535) {
    throw new RangeError(`a port block starts between 1 and ${65_535 - span}`)
  }
  return { site: first, hostile: first + 30, door: (number) => first + number }
}
