import { useState } from 'react'
import { Icon } from '../app/icons.tsx'

interface UserSwitchProps {
  readonly user: string
  readonly onUser: (name: string) => void
}

/** In development everybody may be anybody. */
export function UserSwitch({ user, onUser }: UserSwitchProps) {
  const [isOpen, setOpen] = useState(false)
  if (!isOpen) {
    return (
      <button type="button" className="user" title="Be somebody else (development only)" onClick={() => setOpen(true)}>
        <Icon name="person" />
        <span>{user}</span>
      </button>
    )
  }
  const submit = (form: FormData) => {
    const name = String(form.get('user')).trim()
    setOpen(false)
    if (name !== '' && name !== user) onUser(name)
  }
  return (
    <form className="user" action={submit}>
      <Icon name="person" />
      <input
        name="user"
        aria-label="Your user id"
        defaultValue={user}
        maxLength={255}
        ref={(input) => input?.select()}
        onBlur={() => setOpen(false)}
        onKeyDown={({ key }) => key === 'Escape' && setOpen(false)}
      />
    </form>
  )
}
