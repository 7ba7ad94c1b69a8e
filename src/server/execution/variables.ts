import {
  GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputType,
  isNonNullType,
  print,
  typeFromAST,
  type VariableDefinitionNode,
  valueFromAST,
} from 'graphql'
import { inTurns } from '../../turns.ts'
import { InputValues, Reading, type ReadValue, shown, type TellFault } from './input-values.ts'
import type { ListLimits } from './list-limits.ts'
import type { Variables } from './operation-run.ts'

/** graphql-js tells as many. */
const maxErrors = 50

type Given = Readonly<Record<string, unknown>>

export type VariablesRead =
  | { readonly coerced: Variables; readonly errors?: never }
  | { readonly errors: readonly GraphQLError[]; readonly coerced?: never }

/** A variable as a document declares it. */
interface Declared {
  readonly definition: VariableDefinitionNode
  readonly name: string
  /** null: no variable can have the type. */
  readonly type: GraphQLInputType | null
  readonly read: ReadValue
}

type DeclaredVariables = ReadonlyMap<string, Declared>

/**
 * Reads variables as `getVariableValues` of graphql-js (16.15) does, with cheaper errors. There, each error shows the
 * whole object in which something is wrong, and compares an unknown name with all known ones: forty unknown keys of 100
 * KB blocked the server for fourteen seconds. Here an error shows the beginning of a value, suggests no name, and has
 * the place in `path`. Long lists are read last, in turns of the event loop, and so are their errors.
 */
export class VariableReader {
  readonly #schema: GraphQLSchema
  readonly #values: InputValues
  readonly #declared = new WeakMap<readonly VariableDefinitionNode[], DeclaredVariables>()

  constructor(schema: GraphQLSchema, limits: ListLimits) {
    this.#schema = schema
    this.#values = new InputValues(limits)
  }

  /** @param definitions of a valid document @returns a promise where there are long lists */
  read(definitions: readonly VariableDefinitionNode[], given: Given): VariablesRead | Promise<VariablesRead> {
    const declared = this.#declaredBy(definitions)
    const errors: GraphQLError[] = []
    const add = (error: GraphQLError) => {
      if (errors.length === maxErrors) throw new GraphQLError('The variables have more errors than are told.')
      errors.push(error)
    }
    const reading = new Reading(tellOf(declared, add))
    const coerced: Record<string, unknown> = Object.create(null)
    const end = (): VariablesRead => (errors.length === 0 ? { coerced: { ...coerced } } : { errors })
    try {
      for (const variable of declared.values()) readVariable(variable, given, coerced, reading, add)
      if (!reading.isUnfinished) return end()
    } catch (error) {
      errors.push(error as GraphQLError)
      return end()
    }
    return inTurns(reading.rest())
      .catch((error: GraphQLError) => void errors.push(error))
      .then(end)
  }

  #declaredBy(definitions: readonly VariableDefinitionNode[]): DeclaredVariables {
    let declared = this.#declared.get(definitions)
    if (declared === undefined) {
      declared = new Map(definitions.map((definition) => [definition.variable.name.value, this.#declare(definition)]))
      this.#declared.set(definitions, declared)
    }
    return declared
  }

  #declare(definition: VariableDefinitionNode): Declared {
    const type = typeFromAST(this.#schema, definition.type)
    const name = definition.variable.name.value
    return isInputType(type)
      ? { definition, name, type, read: this.#values.of(type) }
      : { definition, name, type: null, read: () => undefined }
  }
}

function readVariable(
  { definition, name, type, read }: Declared,
  given: Given,
  coerced: Record<string, unknown>,
  reading: Reading,
  add: (error: GraphQLError) => void,
): void {
  if (type === null) {
    const sentence = `Variable "$${name}" expected value of type "${print(definition.type)}" which cannot be used as an input type.`
    add(new GraphQLError(sentence, { nodes: definition.type }))
    return
  }
  if (!Object.hasOwn(given, name)) {
    if (definition.defaultValue) coerced[name] = valueFromAST(definition.defaultValue, type)
    else if (isNonNullType(type)) {
      add(new GraphQLError(`Variable "$${name}" of required type "${type}" was not provided.`, { nodes: definition }))
    }
    return
  }
  const value = given[name]
  if (value === null && isNonNullType(type)) {
    add(new GraphQLError(`Variable "$${name}" of non-null type "${type}" must not be null.`, { nodes: definition }))
    return
  }
  coerced[name] = reading.at(name, value, read)
}

function tellOf(declared: DeclaredVariables, add: (error: GraphQLError) => void): TellFault {
  return ([variable, ...steps], invalid, error) => {
    const name = variable as string
    const path = steps.reduce<string>((at, step) => at + (typeof step === 'number' ? `[${step}]` : `.${step}`), name)
    const place = steps.length === 0 ? '' : ` at "${path}"`
    const extensions = steps.length === 0 ? error.extensions : { ...error.extensions, path }
    const message = `Variable "$${name}" got invalid value ${shown(invalid)}${place}; ${error.message}`
    add(new GraphQLError(message, { nodes: declared.get(name)?.definition, originalError: error, extensions }))
  }
}
