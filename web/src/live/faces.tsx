import { createContext, useContext, useState } from 'react'

/** Origins from which pictures may be loaded, beside the page's own. */
export const PictureOrigins = createContext<readonly string[]>([])

export interface FaceProps {
  readonly name: string
  readonly picture: string | null
}

/** A user as a small round sign beside others: the picture, or else an initial. The name stands in a text nearby. */
export function Face({ name, picture }: FaceProps) {
  const origins = useContext(PictureOrigins)
  const [failed, setFailed] = useState<string | null>(null)
  const [first = '?'] = [...name.trim()]
  if (picture !== null && picture !== failed && mayLoad(picture, origins)) {
    return (
      <img
        className="face"
        src={picture}
        alt=""
        decoding="async"
        referrerPolicy="no-referrer"
        onError={() => setFailed(picture)}
      />
    )
  }
  return (
    <span className="face" aria-hidden="true">
      {first.toLocaleUpperCase()}
    </span>
  )
}

/** What the page's policy would refuse is not asked for. */
function mayLoad(picture: string, origins: readonly string[]): boolean {
  if (!URL.canParse(picture)) return false
  const { protocol, origin } = new URL(picture)
  return protocol === 'data:' || origin === location.origin || origins.includes(origin)
}

export interface ShownPerson extends FaceProps {
  readonly userId: string
}

/** Signs of a few, and how many there are beyond. */
export function Faces({ people, most = 4 }: { readonly people: readonly ShownPerson[]; readonly most?: number }) {
  const more = people.length - most
  return (
    <>
      {people.slice(0, most).map(({ userId, name, picture }) => (
        <Face key={userId} name={name} picture={picture} />
      ))}
      {more > 0 && (
        <span className="face" aria-hidden="true">
          +{more}
        </span>
      )}
    </>
  )
}
