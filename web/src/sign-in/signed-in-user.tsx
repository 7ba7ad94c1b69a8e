import { Icon } from '../app/icons.tsx'
import type { SignedIn } from './sign-in.ts'

/** Who is signed in, by name; whoever wants to be somebody else signs out. */
export function SignedInUser({ signedIn: { name, signOut } }: { readonly signedIn: SignedIn }) {
  return (
    <button type="button" className="user" title="Sign out" onClick={() => void signOut()}>
      <Icon name="person" />
      <span>{name ?? 'Sign out'}</span>
      {name && <span className="hidden">, sign out</span>}
    </button>
  )
}
