import { parseJson, type Json } from 'countersign/wire'

/** JSON that a target sent; `undefined` for anything else, and for what is beyond bounds. */
export function jsonOf(text: string, maxBytes = 1_048_576): Json | undefined {
  const parsed = parseJson(text, { maxBytes, maxDepth: 64 })
  return parsed.kind === 'found' ? parsed.value : undefined
}
