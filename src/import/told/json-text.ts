import { endOfString } from '../../server/request/end-of-string.ts'

/** The value of a JSON text; undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A member of an object or of a list, as it stands in the text. */
export interface Member {
  /** null in a list. */
  readonly key: string | null
  /** Where the value begins and ends in the text around it. */
  readonly from: number
  readonly to: number
  readonly text: string
}

/** The members of an object or of a list, in their order. @param text valid JSON */
export function membersOf(text: string): Member[] {
  const members: Member[] = []
  const isObject = text.trimStart().startsWith('{')
  let key: string | null = null
  let from = text.search(/[[{]/) + 1
  let depth = 0
  const end = (to: number) => {
    const value = text.slice(from, to)
    const start = from + (value.length - value.trimStart().length)
    if (value.trim() !== '') members.push({ key, from: start, to, text: value.trim() })
    key = null
    from = to + 1
  }
  for (let at = from; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      const begin = at
      at = endOfString(text, at)
      if (isObject && depth === 0 && key === null) {
        key = JSON.parse(text.slice(begin, at + 1))
        at = text.indexOf(':', at)
        from = at + 1
      }
    } else if (char === '[' || char === '{') depth += 1
    else if (char === ',' && depth === 0) end(at)
    else if (char === ']' || char === '}') {
      if (depth === 0) {
        end(at)
        break
      }
      depth -= 1
    }
  }
  return members
}
