/** Secrets of an audit: learned where they are used, hidden wherever something is shown. */

/** What stands where a secret was. */
export const mask = '[secret]'

/** Shorter values are no secrets and would hide ordinary words. */
const minLength = 6

/** Header fields whose values are never shown. */
const secretFields = /^((?:proxy-)?authorization|cookie|set-cookie|x-api-key|x-csrf-token): .*$/gim

/** A text as it stands between the quotes of JSON. */
function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** The secrets of one audit. */
export class Masking {
  readonly #secrets = new Set<string>()

  /** From now on this value is hidden, as it is and as it stands in a URL, in base64, or in JSON. */
  learn(secret: string): void {
    if (secret.length < minLength) return
    this.#secrets.add(secret)
    this.#secrets.add(encodeURIComponent(secret))
    this.#secrets.add(new URLSearchParams([['', secret]]).toString().slice(1))
    this.#secrets.add(Buffer.from(secret).toString('base64'))
    this.#secrets.add(Buffer.from(secret).toString('base64url'))
    this.#secrets.add(inJson(secret))
    this.#secrets.add(inJson(inJson(secret)))
  }

  /** Characters of the longest one. */
  get longest(): number {
    return Math.max(0, ...[...this.#secrets].map(({ length }) => length))
  }

  /** A text without secrets: known ones, and whatever a header field for secrets holds. */
  hide(text: string): string {
    return this.hideKnown(text.replace(secretFields, (_line, field: string) => `${field}: ${mask}`))
  }

  /** A text without the known secrets, for what the scanner wrote itself. */
  hideKnown(text: string): string {
    let hidden = text
    for (const secret of [...this.#secrets].toSorted((one, other) => other.length - one.length))
      hidden = hidden.replaceAll(secret, mask)
    return hidden
  }
}
