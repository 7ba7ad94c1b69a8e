import {
  GraphQLError,
  GraphQLID,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
  GraphQLString,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isSpecifiedScalarType,
} from 'graphql'
import type { Work } from '../../turns.ts'
import type { ListLimits } from './list-limits.ts'

/** How much of a wrong text an error shows, in characters. */
const longestShown = 40

/** A list of more items is read after what surrounds it, and may take turns of the event loop. */
const itemsAtOnce = 50

/** Is told of each fault: where it is in the value, what is wrong there, and why. Whatever it throws ends the reading. */
export type TellFault = (place: readonly (string | number)[], invalid: unknown, error: GraphQLError) => void

/** A long list that is still to be read: its items go into the list that was answered for it. */
interface LongList {
  readonly items: readonly unknown[]
  readonly into: unknown[]
  readonly read: ReadValue
  readonly place: readonly (string | number)[]
}

/** The reading of one value. */
export class Reading {
  readonly #tell: TellFault
  #place: (string | number)[] = []
  readonly #longLists: LongList[] = []

  constructor(tell: TellFault) {
    this.#tell = tell
  }

  /** Whether a long list is still to be read. Until then, the value is not whole. */
  get isUnfinished(): boolean {
    return this.#longLists.length > 0
  }

  /** Reads what is left. */
  *rest(): Work<void> {
    for (let list = this.#longLists.shift(); list !== undefined; list = this.#longLists.shift()) {
      const { items, into, read, place } = list
      for (const [index, item] of items.entries()) {
        this.#place = [...place, index]
        into[index] = read(item, this)
        if (index % itemsAtOnce === itemsAtOnce - 1) yield
      }
    }
  }

  at(step: string | number, value: unknown, read: ReadValue): unknown {
    this.#place.push(step)
    const answer = read(value, this)
    this.#place.pop()
    return answer
  }

  list(items: readonly unknown[], read: ReadValue): unknown[] {
    if (items.length <= itemsAtOnce) return items.map((item, index) => this.at(index, item, read))
    const into: unknown[] = new Array(items.length)
    this.#longLists.push({ items, into, read, place: [...this.#place] })
    return into
  }

  fault(invalid: unknown, error: GraphQLError): undefined {
    this.#tell(this.#place, invalid, error)
  }

  wrong(invalid: unknown, sentence: string): undefined {
    this.fault(invalid, new GraphQLError(sentence))
  }
}

/** Reads a value of JSON as one of a type. Answers undefined if something is wrong with it. */
export type ReadValue = (value: unknown, reading: Reading) => unknown

/**
 * Reads values that callers give, as `coerceInputValue` of graphql-js (16.15) does, except that no value costs more than
 * the schema allows it to be good for. There, a list is read to its end before a field can say that it is too long, and an
 * error quotes all of a value or of a name: a `role` of four megabytes was copied ten times. What has to be known of a
 * type is worked out once.
 *
 * The schema has no `@oneOf`.
 */
export class InputValues {
  readonly #limits: ListLimits
  readonly #readers = new WeakMap<GraphQLInputType, ReadValue>()

  constructor(limits: ListLimits) {
    this.#limits = limits
  }

  of(type: GraphQLInputType): ReadValue {
    let reader = this.#readers.get(type)
    if (reader === undefined) {
      reader = this.#reader(type)
      this.#readers.set(type, reader)
    }
    return reader
  }

  #reader(type: GraphQLInputType): ReadValue {
    if (isNonNullType(type)) {
      const read = this.of(type.ofType)
      return (value, reading) => {
        if (value != null) return read(value, reading)
        return reading.wrong(value, `Expected non-nullable type "${type}" not to be null.`)
      }
    }
    if (isListType(type)) return this.#list(type.ofType)
    return isInputObjectType(type) ? this.#object(type) : leaf(type)
  }

  #list(type: GraphQLInputType): ReadValue {
    const read = this.of(type)
    const most = this.#limits.get(getNamedType(type).name) ?? Number.POSITIVE_INFINITY
    return (value, reading) => {
      if (value == null) return null
      // GraphQL takes one value for a list of it.
      if (!Array.isArray(value)) return [read(value, reading)]
      // Its field refuses it for its length alone.
      return value.length > most ? new Array(value.length) : reading.list(value, read)
    }
  }

  #object(type: GraphQLInputObjectType): ReadValue {
    const fields = type.getFields()
    let readers: { name: string; type: GraphQLInputType; defaultValue?: unknown; read: ReadValue }[] | undefined
    return (value, reading) => {
      if (value == null) return null
      if (typeof value !== 'object' || Array.isArray(value)) {
        return reading.wrong(value, `Expected type "${type.name}" to be an object.`)
      }
      const given = value as Readonly<Record<string, unknown>>
      const answer: Record<string, unknown> = {}
      // Not before, because a type may be among its own fields.
      readers ??= Object.values(fields).map((field) => ({ ...field, read: this.of(field.type) }))
      for (const { name, type, defaultValue, read } of readers) {
        const own = given[name]
        if (own !== undefined) answer[name] = reading.at(name, own, read)
        else if (defaultValue !== undefined) answer[name] = defaultValue
        else if (isNonNullType(type)) {
          reading.wrong(value, `Field "${name}" of required type "${type}" was not provided.`)
        }
      }
      for (const name of Object.keys(given)) {
        if (Object.hasOwn(fields, name)) continue
        reading.wrong(value, `Field "${beginningOf(name)}" is not defined by type "${type.name}".`)
      }
      return answer
    }
  }
}

function leaf(type: GraphQLLeafType): ReadValue {
  const isAnyText = type === GraphQLString || type === GraphQLID
  const quotes = isEnumType(type) || isSpecifiedScalarType(type)
  return (value, reading) => {
    if (value == null) return null
    if (isAnyText && typeof value === 'string') return value
    let read: unknown
    try {
      const told = quotes ? quotable(value) : value
      read = isEnumType(type) ? type.parseValue(told, true) : type.parseValue(told)
    } catch (error) {
      if (error instanceof GraphQLError) return reading.fault(value, error)
      const { message } = error as Error
      const originalError = error as Error
      return reading.fault(value, new GraphQLError(`Expected type "${type.name}". ${message}`, { originalError }))
    }
    return read === undefined ? reading.wrong(value, `Expected type "${type.name}".`) : read
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
function quotable(value: unknown): unknown {
  // GraphQL shows what `toJSON` answers.
  if (typeof value === 'object') return { toJSON: () => shown(value) }
  return typeof value === 'string' ? beginningOf(value) : value
}
