import {
  GraphQLError,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
  type GraphQLList,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isSpecifiedScalarType,
} from 'graphql'
import type { ListLimits } from './list-limits.ts'

/** How much of a wrong text an error shows, in characters. */
const longestShown = 40

/** Is told of each fault: where it is in the value, what is wrong there, and why. Whatever it throws ends the reading. */
export type TellFault = (place: readonly (string | number)[], invalid: unknown, error: GraphQLError) => void

/**
 * Reads values that callers give, as `coerceInputValue` of graphql-js (16.15) does, except that no value costs more than
 * the schema allows it to be good for. There, a list is read to its end before a field can say that it is too long, and an
 * error quotes all of a value or of a name: a `role` of four megabytes was copied ten times.
 *
 * The schema has no `@oneOf`.
 */
export class InputValues {
  readonly #limits: ListLimits
  readonly #tell: TellFault
  readonly #place: (string | number)[] = []

  constructor(limits: ListLimits, tell: TellFault) {
    this.#limits = limits
    this.#tell = tell
  }

  /** @param value of JSON. @returns undefined if something is wrong with it */
  read(value: unknown, type: GraphQLInputType): unknown {
    if (isNonNullType(type)) {
      if (value != null) return this.read(value, type.ofType)
      return this.#fault(value, `Expected non-nullable type "${type}" not to be null.`)
    }
    if (value == null) return null
    if (isListType(type)) return this.#list(value, type)
    return isInputObjectType(type) ? this.#object(value, type) : this.#leaf(value, type)
  }

  #list(value: unknown, type: GraphQLList<GraphQLInputType>): unknown[] {
    // GraphQL takes one value for a list of it.
    if (!Array.isArray(value)) return [this.read(value, type.ofType)]
    const most = this.#limits.get(getNamedType(type).name)
    // Its field refuses it for its length alone.
    if (most !== undefined && value.length > most) return new Array(value.length)
    return value.map((item, index) => this.#at(index, item, type.ofType))
  }

  #object(value: unknown, type: GraphQLInputObjectType): unknown {
    if (typeof value !== 'object' || Array.isArray(value)) {
      return this.#fault(value, `Expected type "${type.name}" to be an object.`)
    }
    const given = value as Readonly<Record<string, unknown>>
    const read: Record<string, unknown> = Object.create(null)
    const fields = type.getFields()
    for (const name in fields) {
      const field = fields[name] as (typeof fields)[string]
      const own = given[name]
      if (own !== undefined) read[name] = this.#at(name, own, field.type)
      else if (field.defaultValue !== undefined) read[name] = field.defaultValue
      else if (isNonNullType(field.type)) {
        this.#fault(value, `Field "${name}" of required type "${field.type}" was not provided.`)
      }
    }
    for (const name of Object.keys(given)) {
      if (!fields[name]) this.#fault(value, `Field "${beginningOf(name)}" is not defined by type "${type.name}".`)
    }
    return read
  }

  #leaf(value: unknown, type: GraphQLLeafType): unknown {
    let read: unknown
    try {
      const told = quotable(value, type)
      read = isEnumType(type) ? type.parseValue(told, true) : type.parseValue(told)
    } catch (error) {
      if (error instanceof GraphQLError) return this.#tell(this.#place, value, error)
      const { message } = error as Error
      const originalError = error as Error
      return this.#tell(
        this.#place,
        value,
        new GraphQLError(`Expected type "${type.name}". ${message}`, { originalError }),
      )
    }
    return read === undefined ? this.#fault(value, `Expected type "${type.name}".`) : read
  }

  #at(step: string | number, value: unknown, type: GraphQLInputType): unknown {
    this.#place.push(step)
    const read = this.read(value, type)
    this.#place.pop()
    return read
  }

  #fault(invalid: unknown, sentence: string): undefined {
    this.#tell(this.#place, invalid, new GraphQLError(sentence))
  }
}

/** A value as an error shows it. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    return value.length <= longestShown ? JSON.stringify(value) : `${JSON.stringify(value.slice(0, longestShown))}…`
  }
  if (typeof value !== 'object' || value === null) return String(value)
  // Not even whether an object has keys: to list thousands of them for each of fifty errors takes 50 ms.
  return Array.isArray(value) ? 'a list' : 'an object'
}

function beginningOf(text: string): string {
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}…`
}

/**
 * What stands for a value that a type of GraphQL's own, or an enum, is going to refuse: its error quotes the whole of
 * what it is given. Other values are as they are.
 */
function quotable(value: unknown, type: GraphQLLeafType): unknown {
  if (!isEnumType(type) && !isSpecifiedScalarType(type)) return value
  // GraphQL shows what `toJSON` answers.
  if (typeof value === 'object') return { toJSON: () => shown(value) }
  const takesLong = type.name === 'String' || type.name === 'ID'
  return typeof value === 'string' && !takesLong ? beginningOf(value) : value
}
