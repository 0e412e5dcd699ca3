/** Fills the form from a demonstration account; logging in stays a deed of its own. */
const username = document.querySelector('#username')
const password = document.querySelector('#password')

for (const button of document.querySelectorAll('[data-username]')) {
  button.addEventListener('click', () => {
    username.value = button.dataset.username
    password.value = button.dataset.password
    document.querySelector('form button[type=submit]').focus()
  })
}
