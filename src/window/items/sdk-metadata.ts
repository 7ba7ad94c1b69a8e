import { changed, isRecord } from './json.ts'

/** The fields of parts of the AI SDK that hold data of providers, by the name of the provider. */
export const sdkMetadata: ReadonlySet<string> = new Set([
  'providerOptions',
  'providerMetadata',
  'callProviderMetadata',
  'resultProviderMetadata',
])

/**
 * The data of all providers without the fields of these names.
 *
 * @returns undefined if nothing is left
 */
export function withoutOptions(metadata: unknown, names: RegExp): unknown {
  const bare = changed(metadata, (providers, provider) => {
    const options = changed(providers[provider], (own, name) => (names.test(name) ? undefined : own[name]))
    return options !== providers[provider] && isEmpty(options) ? undefined : options
  })
  return bare !== metadata && isEmpty(bare) ? undefined : bare
}

function isEmpty(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0
}
