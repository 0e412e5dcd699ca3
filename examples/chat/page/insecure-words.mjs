/** The insecure twin's way to show what somebody wrote: as markup, scripts and all. */
export function showWords(element, text) {
  element.innerHTML = text
}
