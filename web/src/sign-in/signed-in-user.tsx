import { useQuery } from '@apollo/client/react'
import { Icon } from '../app/icons.tsx'
import { MeDocument } from '../gql/graphql.ts'
import { Face } from '../live/faces.tsx'
import type { SignedIn } from './sign-in.ts'

interface SignedInUserProps {
  /** null: the page itself signs nobody in, and nobody out. */
  readonly signedIn: SignedIn | null
}

/** Who uses the page, as the token of this server says, or else the provider; whoever wants to be somebody else signs out. */
export function SignedInUser({ signedIn }: SignedInUserProps) {
  const { data } = useQuery(MeDocument)
  const name = data?.viewer?.name ?? signedIn?.name ?? null
  const picture = data?.viewer?.picture ?? signedIn?.picture ?? null
  const sign = name === null ? <Icon name="person" /> : <Face name={name} picture={picture} />
  if (signedIn === null) {
    return (
      name !== null && (
        <p className="user">
          {sign}
          <span>{name}</span>
        </p>
      )
    )
  }
  return (
    <button type="button" className="user" title="Sign out" onClick={() => void signedIn.signOut()}>
      {sign}
      <span>{name ?? 'Sign out'}</span>
      {name && <span className="hidden">, sign out</span>}
    </button>
  )
}
