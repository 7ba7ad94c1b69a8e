const types = ['application/json', 'application/graphql-response+json'] as const

/** The media types of an answer of GraphQL. */
export type AnswerType = (typeof types)[number]

interface Preference {
  readonly quality: number
  /** 2: the type itself; 1: any type of `application`; 0: any type. */
  readonly precision: number
  readonly place: number
}

/**
 * The media type that a client prefers (RFC 9110, 12.5.1). Of types that it likes equally, the one that it names, and
 * then the one that it names first. A client without preferences gets `application/json`.
 *
 * @param accept the request's header
 * @returns null when the client takes no answer of GraphQL
 */
export function chooseAnswerType(accept: string | undefined): AnswerType | null {
  // Most requests have one of these.
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return 'application/json'
  const ranges = accept.split(',')
  let chosen: AnswerType | null = null
  let best: Preference = { quality: 0, precision: 0, place: 0 }
  for (const type of types) {
    const preference = preferenceFor(type, ranges)
    if (preference.quality > 0 && (chosen === null || isBetter(preference, best))) {
      chosen = type
      best = preference
    }
  }
  return chosen
}

/** The most precise range that a type matches decides how much the client likes this type. */
function preferenceFor(type: AnswerType, ranges: readonly string[]): Preference {
  let found: Preference = { quality: 0, precision: -1, place: 0 }
  for (const [place, text] of ranges.entries()) {
    const [range, ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
    const precision = ['*/*', 'application/*', type].indexOf(range as string)
    if (precision > found.precision) found = { quality: qualityOf(parameters), precision, place }
  }
  return found
}

function qualityOf(parameters: readonly string[]): number {
  const quality = parameters.find((parameter) => parameter.startsWith('q='))
  return quality === undefined ? 1 : Number(quality.slice(2)) || 0
}

function isBetter(one: Preference, other: Preference): boolean {
  if (one.quality !== other.quality) return one.quality > other.quality
  if (one.precision !== other.precision) return one.precision > other.precision
  return one.place < other.place
}

/**
 * Whether a client takes `application/json` and not `application/graphql-response+json`. Such a client believes that an
 * answer with another status than 200 is not one of GraphQL. So it gets 200 also with errors, as GraphQL over HTTP asked
 * before its edition of September 2026, and as the audits of `graphql-http` 1.23 ask.
 */
export function readsOnlyJson(accept: string | undefined): boolean {
  return (
    accept !== undefined &&
    /application\/json/i.test(accept) &&
    !/application\/graphql-response\+json|\*\/\*/i.test(accept)
  )
}
