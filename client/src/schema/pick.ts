/** The named fields of an object that has more. */
export function pick<Name extends string>(
  from: { readonly [Field in Name]?: unknown },
  names: readonly Name[],
): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, from[name]]))
}
