/** Shows what somebody wrote: as text, whatever it says. */
export function showWords(element, text) {
  element.textContent = text
}
