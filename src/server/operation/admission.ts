import { hash } from 'node:crypto'
import type { ApolloServerOptions } from '@apollo/server'
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  type SelectionSetNode,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql'
import type { Limits } from '../../config.ts'
import { ApiError, badInput, tooLarge } from '../../errors.ts'
import type { Context } from '../../graphql/context.ts'
import { rootConditions } from './root-conditions.ts'

/** The document of a request that may run, or the errors that say why it may not. */
export type Admitted = { readonly document: DocumentNode } | { readonly errors: readonly Error[] }

type DocumentStore = NonNullable<ApolloServerOptions<Context>['documentStore']>

const noRootCondition =
  'A root field of a subscription takes no @skip and no @include. Put the condition on fields that it selects, or leave the field out.'

const maxDocuments = 1_000
const maxCharacters = 1_000_000

/**
 * Decides whether a document may run, whichever way it came: it checks the length, the tokens, the shape, and then
 * whether the document is valid. It checks the shape first, because the cost of validation can grow with the square of
 * the fields. It remembers documents that passed, and Apollo takes them from here instead of parsing and validating
 * again.
 */
export class Admission {
  readonly #schema: GraphQLSchema
  readonly #limits: Limits
  readonly #rules: readonly ValidationRule[]
  /** Documents by their text, the oldest first. */
  readonly #documents = new Map<string, { readonly document: DocumentNode; readonly hash: string }>()
  readonly #byHash = new Map<string, DocumentNode>()
  #characters = 0

  /** @param introspection whether callers may read the schema */
  constructor(schema: GraphQLSchema, limits: Limits, introspection: boolean) {
    this.#schema = schema
    this.#limits = limits
    this.#rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule]
  }

  /** Whether a document of this text is admitted without being read again. */
  remembers(source: string): boolean {
    return this.#documents.has(source)
  }

  admit(source: string): Admitted {
    const { queryCharacters } = this.#limits
    if (source.length > queryCharacters) {
      return { errors: [tooLarge('query', 'characters', queryCharacters, source.length)] }
    }
    const known = this.#documents.get(source)
    if (known !== undefined) return known
    try {
      const document = this.#parse(source)
      requireShape(document, this.#limits)
      const errors = this.#validate(document)
      if (errors.length > 0) return { errors: errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) }
      this.#remember(source, document)
      return { document }
    } catch (error) {
      if (error instanceof GraphQLError || error instanceof ApiError) return { errors: [error] }
      // The parser and the rules of GraphQL call themselves. Brackets alone can exhaust the stack within the limit of
      // tokens.
      if (error instanceof RangeError) return { errors: [badInput('query', 'is nested too deeply.')] }
      throw error
    }
  }

  /** For Apollo. The keys that Apollo asks for end with the SHA-256 of the text. */
  readonly documentStore: DocumentStore = {
    get: async (key) => this.#byHash.get(key.slice(-64)),
    set: async () => {},
    delete: async () => {},
  }

  #parse(source: string): DocumentNode {
    const { queryTokens } = this.#limits
    try {
      return parse(source, { maxTokens: queryTokens })
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error
      // The parser stops at the first token beyond the limit, so it does not know how many there are.
      if (/more that \d+ tokens/.test(error.message))
        throw tooLarge('query', 'tokens or more', queryTokens, queryTokens + 1)
      throw withCode(error, 'GRAPHQL_PARSE_FAILED')
    }
  }

  #validate(document: DocumentNode): readonly GraphQLError[] {
    const conditions = rootConditions(document)
    if (conditions.length > 0) return [new GraphQLError(noRootCondition, { nodes: conditions })]
    try {
      return validate(this.#schema, document, this.#rules, { maxErrors: 10, hideSuggestions: true })
    } catch (error) {
      // A rule of GraphQL that throws an error in place of reporting it has nevertheless found the document invalid.
      if (error instanceof GraphQLError) return [error]
      throw error
    }
  }

  #remember(source: string, document: DocumentNode): void {
    const known = { document, hash: hash('sha256', source) }
    this.#documents.set(source, known)
    this.#byHash.set(known.hash, document)
    this.#characters += source.length
    for (const [oldest, forgotten] of this.#documents) {
      if (this.#documents.size <= maxDocuments && this.#characters <= maxCharacters) return
      this.#documents.delete(oldest)
      this.#byHash.delete(forgotten.hash)
      this.#characters -= oldest.length
    }
  }
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  const { nodes, source, positions, path } = error
  return new GraphQLError(error.message, { nodes, source, positions, path, extensions: { ...error.extensions, code } })
}

/**
 * @throws ApiError PAYLOAD_TOO_LARGE at the first limit that is passed; the rest of the document is not counted then
 */
function requireShape(document: DocumentNode, limits: Limits): void {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION)
      new Shape(fragments, limits).add(definition.selectionSet, 1, new Set())
  }
}

/** Counts an operation's fields as they would be executed: the fields of a fragment count each time it is spread. */
class Shape {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #limits: Limits
  #fields = 0
  #aliases = 0
  #repeats = 0
  #spreads = 0

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>, limits: Limits) {
    this.#fragments = fragments
    this.#limits = limits
  }

  /**
   * @param names the names in the answer on this level so far. A fragment's fields belong to the level where it is
   * spread
   */
  add(selections: SelectionSetNode, depth: number, names: Set<string>): void {
    const { queryFields, queryAliases, queryRepeats, queryDepth } = this.#limits
    for (const selection of selections.selections) {
      if (selection.kind === Kind.FIELD) {
        requireAtMost('fields', ++this.#fields, queryFields)
        if (selection.alias !== undefined) requireAtMost('aliases', ++this.#aliases, queryAliases)
        const name = (selection.alias ?? selection.name).value
        if (names.has(name)) requireAtMost('repeated fields', ++this.#repeats, queryRepeats)
        names.add(name)
        // Introspection needs more levels. GraphQL's own rules limit the fields of introspection that could multiply.
        const isIntrospection = selection.name.value === '__schema' || selection.name.value === '__type'
        requireAtMost('levels', depth, queryDepth)
        if (selection.selectionSet)
          this.add(selection.selectionSet, isIntrospection ? -introspectionDepth : depth + 1, new Set())
      } else {
        // Validation refuses a fragment that contains itself. Until then this limit ends the walk.
        requireAtMost('fragments', ++this.#spreads, queryFields)
        const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#fragments.get(selection.name.value)
        if (fragment !== undefined) this.add(fragment.selectionSet, depth, names)
      }
    }
  }
}

const introspectionDepth = 20

function requireAtMost(what: string, count: number, limit: number): void {
  if (count > limit) throw tooLarge('query', what, limit, count)
}
