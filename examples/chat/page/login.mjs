/** A demonstration account fills the form. */
const [nickname, password] = ['nickname', 'password'].map((id) => document.getElementById(id))

for (const button of document.querySelectorAll('[data-nickname]')) {
  button.addEventListener('click', () => {
    nickname.value = button.dataset.nickname
    password.value = button.dataset.password
    document.querySelector('#login button').focus()
  })
}
