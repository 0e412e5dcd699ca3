/** Buttons of the demonstration accounts: they fill the form and hand the focus to it. Nothing is sent. */

function fill(button: HTMLButtonElement): void {
  const { username, password } = button.dataset
  const names = document.querySelector<HTMLInputElement>('#username')
  const secrets = document.querySelector<HTMLInputElement>('#password')
  const submit = document.querySelector<HTMLButtonElement>('#login button[type=submit]')
  if (names === null || secrets === null || username === undefined || password === undefined) return
  names.value = username
  secrets.value = password
  submit?.focus()
}

for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-username]')) {
  button.addEventListener('click', () => fill(button))
}
