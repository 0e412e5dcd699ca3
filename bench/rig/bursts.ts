/** Bursts of messages, by which applications and generator agree on what one step of an exchange is. */

/** Messages of a burst. */
export const burstSize = 16
/** One message of a burst. */
export const burstText: string = 'x'.repeat(64)
/** Behind a burst: shorter than any other message, so that an application which counts nothing can tell it. */
export const burstEnd = 'end'
