import {
  defaultTypeResolver,
  type ExecutionResult,
  type FieldNode,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  getArgumentValues,
  isObjectType,
  locatedError,
  OperationTypeNode,
  responsePathAsArray,
} from 'graphql'
import { collectSubfields } from 'graphql/execution/collectFields.js'
import { inspect } from 'graphql/jsutils/inspect.js'
import { inSpan, isRecorded } from '../../observe/spans.ts'
import { type Field, fieldsOf, type Shape } from './selected-fields.ts'

export type Variables = Record<string, unknown>
/** What is executed: the parts of it that resolvers are told. */
export type Executable = Pick<GraphQLResolveInfo, 'schema' | 'operation' | 'fragments'>
type Info = GraphQLResolveInfo
type Path = Info['path']

/**
 * One execution of an operation. The functions have the order of `graphql/execution/execute.js` (16.15), and as many
 * promises follow each other as there, so that errors come in the same order.
 */
export class Run {
  readonly #executable: Executable
  readonly #rootValue: unknown
  readonly #context: unknown
  readonly #variables: Variables
  /** Whether somebody wants to see what resolvers do. */
  readonly #isRecorded = isRecorded()
  readonly #errors: GraphQLError[] = []
  /** Where an error has made the answer null; undefined: all of it. */
  readonly #failed = new Set<Path | undefined>()

  constructor(executable: Executable, rootValue: unknown, context: unknown, variables: Variables) {
    this.#executable = executable
    this.#rootValue = rootValue
    this.#context = context
    this.#variables = variables
  }

  result(fields: () => readonly Field[]): Promise<ExecutionResult> | ExecutionResult {
    try {
      const isSerial = this.#executable.operation.operation === OperationTypeNode.MUTATION
      const data = isSerial ? this.#serially(fields()) : this.#fields(fields(), this.#rootValue, undefined)
      if (!isPromise(data)) return this.#answer(data)
      return data.then(
        (answer) => this.#answer(answer),
        (error) => this.#nothing(error),
      )
    } catch (error) {
      return this.#nothing(error)
    }
  }

  /**
   * What the one field of a subscription answers for its events, as `graphql/execution/subscribe.js` asks for it.
   * @throws GraphQLError
   */
  async source(fields: () => readonly Field[]): Promise<unknown> {
    // Valid subscriptions have one field.
    const [field] = fields() as readonly [Field]
    const { definition, nodes } = field
    const path = pathOf(field, undefined)
    try {
      return await definition.subscribe?.(this.#rootValue, this.#args(field), this.#context, this.#info(field, path))
    } catch (error) {
      throw locatedError(error, nodes, responsePathAsArray(path))
    }
  }

  #answer(data: Answer | null): ExecutionResult {
    return this.#errors.length === 0 ? { data } : { errors: this.#errors, data }
  }

  #nothing(error: unknown): ExecutionResult {
    this.#add(error as GraphQLError, undefined)
    return this.#answer(null)
  }

  /** An error is told once: one at or beneath a place that is null because of another error is not. */
  #add(error: GraphQLError, path: Path | undefined): void {
    for (let at = path; at !== undefined; at = at.prev) if (this.#failed.has(at)) return
    if (this.#failed.has(undefined)) return
    this.#failed.add(path)
    this.#errors.push(error)
  }

  /** The fields of a mutation: the next one begins when the one before has ended. */
  #serially(fields: readonly Field[]): Promise<Answer> | Answer {
    let done: Promise<Answer> | Answer = new Answer()
    for (const field of fields) {
      done = isPromise(done) ? done.then((answer) => this.#put(answer, field)) : this.#put(done, field)
    }
    return done
  }

  #put(answer: Answer, field: Field): Promise<Answer> | Answer {
    const put = (value: unknown) => {
      answer[field.key] = value
      return answer
    }
    const value = this.#field(field, this.#rootValue, undefined)
    return isPromise(value) ? value.then(put) : put(value)
  }

  #fields(fields: readonly Field[], source: unknown, path: Path | undefined): Promise<Answer> | Answer {
    const answer = new Answer()
    let pending: string[] | null = null
    try {
      for (const field of fields) {
        const value = this.#field(field, source, path)
        answer[field.key] = value
        if (isPromise(value)) {
          pending ??= []
          pending.push(field.key)
        }
      }
    } catch (error) {
      if (pending === null) throw error
      return settle(answer, pending).finally(() => {
        throw error
      })
    }
    return pending === null ? answer : settle(answer, pending)
  }

  #field(field: Field, source: unknown, parentPath: Path | undefined): unknown {
    const { shape } = field
    let value: unknown
    if (field.resolve === null) {
      try {
        value = isObjectLike(source) ? source[field.name] : undefined
      } catch (error) {
        return this.#fail(error, field, shape, pathOf(field, parentPath))
      }
      if (shape.kind === 'leaf') {
        if (shape.isExact(value)) return value
        if (value == null && !shape.isRequired) return null
      }
    }
    const path = pathOf(field, parentPath)
    try {
      let info = field.isTold ? this.#info(field, path) : null
      if (field.resolve !== null) {
        value = this.#isRecorded
          ? this.#resolveInSpan(field, source, info)
          : field.resolve(source, this.#args(field), this.#context, info as Info)
      } else if (typeof value === 'function') {
        info ??= this.#info(field, path)
        value = (source as Record<string, (...args: unknown[]) => unknown>)[field.name]?.({}, this.#context, info)
      }
      return this.#completeOrFail(field, shape, info, path, value)
    } catch (error) {
      return this.#fail(error, field, shape, path)
    }
  }

  #resolveInSpan(field: Field, source: unknown, info: Info | null): unknown {
    const { parent, name } = field
    return inSpan(`${parent.name}.${name}`, {}, () =>
      field.resolve?.(source, this.#args(field), this.#context, info as Info),
    )
  }

  #args({ definition, nodes }: Field): Record<string, unknown> {
    // A field has nodes, for it is selected.
    return definition.args.length === 0 ? {} : getArgumentValues(definition, nodes[0] as FieldNode, this.#variables)
  }

  #info({ name, nodes, definition, parent }: Field, path: Path): Info {
    const { schema, fragments, operation } = this.#executable
    return {
      fieldName: name,
      fieldNodes: nodes,
      returnType: definition.type,
      parentType: parent,
      path,
      schema,
      fragments,
      rootValue: this.#rootValue,
      operation,
      variableValues: this.#variables,
    }
  }

  /** Throws only what failed at once. */
  #completeOrFail(field: Field, shape: Shape, info: Info | null, path: Path, value: unknown): unknown {
    const completed = isPromise(value)
      ? this.#completeLater(field, shape, info, path, value)
      : this.#complete(field, shape, info, path, value)
    return isPromise(completed) ? this.#failLater(field, shape, path, completed) : completed
  }

  /*
   * A method that makes a function pays for it in each call, also where it makes none: V8 puts what the function uses
   * aside as the method begins. So these methods do nothing else.
   */

  #completeLater(field: Field, shape: Shape, info: Info | null, path: Path, value: Promise<unknown>): Promise<unknown> {
    return value.then((resolved) => this.#complete(field, shape, info, path, resolved))
  }

  #failLater(field: Field, shape: Shape, path: Path, completed: Promise<unknown>): Promise<unknown> {
    return completed.then(undefined, (error) => this.#fail(error, field, shape, path))
  }

  /** Where null is allowed, the error ends here; otherwise what is around becomes null. */
  #fail(thrown: unknown, { nodes }: Field, { isRequired }: Shape, path: Path): null {
    const error = locatedError(thrown, nodes, responsePathAsArray(path))
    if (isRequired) throw error
    this.#add(error, path)
    return null
  }

  #complete(field: Field, shape: Shape, info: Info | null, path: Path, value: unknown): unknown {
    if (value instanceof Error) throw value
    if (value == null) {
      if (!shape.isRequired) return null
      throw new Error(`Cannot return null for non-nullable field ${field.parent.name}.${field.name}.`)
    }
    if (shape.kind === 'leaf') return shape.isExact(value) ? value : serialize(shape.type, value)
    if (shape.kind === 'object') return this.#object(field, shape.type, info, path, value)
    if (shape.kind === 'list') return this.#list(field, shape.item, info, path, value)
    return this.#abstract(field, shape.type, info as Info, path, value)
  }

  #list(field: Field, item: Shape, info: Info | null, path: Path, values: unknown): unknown {
    if (typeof values !== 'object' || typeof (values as Iterable<unknown>)[Symbol.iterator] !== 'function') {
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${field.parent.name}.${field.name}".`)
    }
    const completed: unknown[] = []
    let hasPending = false
    try {
      for (const value of values as Iterable<unknown>) {
        const done = this.#item(field, item, info, { prev: path, key: completed.length, typename: undefined }, value)
        hasPending ||= isPromise(done)
        completed.push(done)
      }
    } catch (error) {
      // Nobody waits for those that are pending.
      if (hasPending) Promise.allSettled(completed)
      throw error
    }
    return hasPending ? Promise.all(completed) : completed
  }

  #item(field: Field, shape: Shape, info: Info | null, path: Path, value: unknown): unknown {
    try {
      return this.#completeOrFail(field, shape, info, path, value)
    } catch (error) {
      return this.#fail(error, field, shape, path)
    }
  }

  #abstract(field: Field, type: GraphQLAbstractType, info: Info, path: Path, value: unknown): unknown {
    const resolveType = type.resolveType ?? defaultTypeResolver
    const name: unknown = resolveType(value, this.#context, info, type)
    if (!isPromise(name)) return this.#object(field, this.#typeOf(field, type, name, value), info, path, value)
    return name.then((resolved) => this.#object(field, this.#typeOf(field, type, resolved, value), info, path, value))
  }

  #typeOf(
    { parent, name, nodes }: Field,
    type: GraphQLAbstractType,
    found: unknown,
    value: unknown,
  ): GraphQLObjectType {
    const { schema } = this.#executable
    const must = `Abstract type "${type.name}" must resolve to an Object type at runtime for field "${parent.name}.${name}"`
    if (found == null) {
      throw new GraphQLError(
        `${must}. Either the "${type.name}" type should provide a "resolveType" function or each possible type should provide an "isTypeOf" function.`,
        { nodes },
      )
    }
    if (isObjectType(found)) {
      throw new GraphQLError(
        'Support for returning GraphQLObjectType from resolveType was removed in graphql-js@16.0.0 please return type name instead.',
      )
    }
    if (typeof found !== 'string') {
      throw new GraphQLError(`${must} with value ${inspect(value)}, received "${inspect(found)}".`)
    }
    const runtimeType = schema.getType(found)
    if (runtimeType == null) {
      throw new GraphQLError(
        `Abstract type "${type.name}" was resolved to a type "${found}" that does not exist inside the schema.`,
        { nodes },
      )
    }
    if (!isObjectType(runtimeType)) {
      throw new GraphQLError(`Abstract type "${type.name}" was resolved to a non-object type "${found}".`, { nodes })
    }
    if (!schema.isSubType(type, runtimeType)) {
      throw new GraphQLError(`Runtime Object type "${found}" is not a possible type for "${type.name}".`, { nodes })
    }
    return runtimeType
  }

  #object(field: Field, type: GraphQLObjectType, info: Info | null, path: Path, value: unknown): unknown {
    if (type.isTypeOf) return this.#objectOfType(field, type, info, path, value)
    return this.#fields(this.#selected(field, type), value, path)
  }

  #objectOfType(field: Field, type: GraphQLObjectType, info: Info | null, path: Path, value: unknown): unknown {
    const fields = this.#selected(field, type)
    const answer = (isType: boolean) => {
      if (isType) return this.#fields(fields, value, path)
      throw new GraphQLError(`Expected value of type "${type.name}" but got: ${inspect(value)}.`, {
        nodes: field.nodes,
      })
    }
    const isType = type.isTypeOf?.(value, this.#context, info as Info) ?? true
    return isPromise(isType) ? isType.then(answer) : answer(isType)
  }

  #selected(field: Field, type: GraphQLObjectType): readonly Field[] {
    let fields = field.selected.get(type)
    if (fields === undefined) {
      const { schema, fragments } = this.#executable
      fields = fieldsOf(schema, type, collectSubfields(schema, fragments, this.#variables, type, field.nodes))
      field.selected.set(type, fields)
    }
    return fields
  }
}

function pathOf({ key, parent }: Field, prev: Path | undefined): Path {
  return { prev, key, typename: parent.name }
}

/** An object of an answer. It inherits nothing, because a field may be answered under any name, as `__proto__`. */
class Answer {
  [key: string]: unknown

  static {
    Object.setPrototypeOf(Answer.prototype, null)
  }
}

function serialize(type: GraphQLLeafType, value: unknown): unknown {
  const written: unknown = type.serialize(value)
  if (written != null) return written
  throw new Error(
    `Expected \`${inspect(type)}.serialize(${inspect(value)})\` to return non-nullable value, returned: ${inspect(written)}`,
  )
}

/** Puts the values of pending fields in their places. */
function settle(answer: Answer, pending: readonly string[]): Promise<Answer> {
  return Promise.all(pending.map((key) => answer[key])).then((values) => {
    for (const [index, key] of pending.entries()) answer[key] = values[index]
    return answer
  })
}

function isPromise<T>(value: Promise<T> | T): value is Promise<T>
function isPromise(value: unknown): value is Promise<unknown>
function isPromise(value: unknown): boolean {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

function isObjectLike(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
