/** The first element that matches. @throws Error when the page is not the one that this script belongs to */
export function find<T extends HTMLElement>(selector: string, type: new () => T): T {
  const found = document.querySelector(selector)
  if (found instanceof type) return found
  throw new Error(`the page has no ${selector}`)
}

/** The same below an element, or `undefined`. */
export function findIn(root: ParentNode, selector: string): HTMLElement | undefined {
  const found = root.querySelector(selector)
  return found instanceof HTMLElement ? found : undefined
}

/** Makes an element with a class and children; text becomes text nodes, never markup. */
export function make(tag: string, className: string, ...children: readonly (Node | string)[]): HTMLElement {
  const element = document.createElement(tag)
  if (className !== '') element.className = className
  element.append(...children)
  return element
}
