/** A user as a small round sign beside others. Its name stands in a text nearby. */
export function Face({ name }: { readonly name: string }) {
  const [first = '?'] = [...name.trim()]
  return (
    <span className="face" aria-hidden="true">
      {first.toLocaleUpperCase()}
    </span>
  )
}

/** Signs of a few, and how many there are beyond. */
export function Faces({ names, most = 4 }: { readonly names: readonly string[]; readonly most?: number }) {
  const more = names.length - most
  return (
    <>
      {names.slice(0, most).map((name) => (
        <Face key={name} name={name} />
      ))}
      {more > 0 && (
        <span className="face" aria-hidden="true">
          +{more}
        </span>
      )}
    </>
  )
}
