import { hash } from 'node:crypto'
import type { ApolloServerOptions } from '@apollo/server'
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  parse,
  type SelectionSetNode,
  validate,
} from 'graphql'
import type { Limits } from '../../config.ts'
import { ApiError, badInput, tooLarge } from '../../errors.ts'
import type { Context } from '../../graphql/context.ts'

/** The document of a request that may run, or why it may not. */
export type Admitted = { readonly document: DocumentNode } | { readonly errors: readonly Error[] }

type DocumentStore = NonNullable<ApolloServerOptions<Context>['documentStore']>

const maxDocuments = 1_000
const maxCharacters = 1_000_000

/**
 * Decides over every document, of HTTP and of WebSocket: its length, its tokens, its shape, and then whether it is
 * valid. The shape comes before validation, whose cost can grow with the square of the fields. Documents that passed are
 * remembered, and Apollo takes them from here instead of parsing and validating again.
 */
export class Admission {
  readonly #schema: GraphQLSchema
  readonly #limits: Limits
  /** By their text, the oldest first. */
  readonly #documents = new Map<string, { readonly document: DocumentNode; readonly hash: string }>()
  readonly #byHash = new Map<string, DocumentNode>()
  #characters = 0

  constructor(schema: GraphQLSchema, limits: Limits) {
    this.#schema = schema
    this.#limits = limits
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
      const errors = validate(this.#schema, document, undefined, { maxErrors: 10 })
      if (errors.length > 0) return { errors: errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) }
      this.#remember(source, document)
      return { document }
    } catch (error) {
      if (error instanceof GraphQLError || error instanceof ApiError) return { errors: [error] }
      // The parser and the rules of GraphQL are recursive: brackets alone, within the limit of tokens, exhaust the stack.
      if (error instanceof RangeError) return { errors: [badInput('query', 'is nested too deeply.')] }
      throw error
    }
  }

  /** For Apollo, whose keys end with the SHA-256 of the text. */
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
      // The parser stops at the first token too many, so it does not know how many there are.
      if (/more that \d+ tokens/.test(error.message))
        throw tooLarge('query', 'tokens or more', queryTokens, queryTokens + 1)
      throw withCode(error, 'GRAPHQL_PARSE_FAILED')
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

/** @throws ApiError PAYLOAD_TOO_LARGE at the first limit that is passed, however much would follow */
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

/** Counts an operation's fields as they would be executed: with fragments expanded, as often as they are spread. */
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

  /** @param names the response names of this level so far; a fragment's fields stand on the level it is spread on */
  add(selections: SelectionSetNode, depth: number, names: Set<string>): void {
    const { queryFields, queryAliases, queryRepeats, queryDepth } = this.#limits
    for (const selection of selections.selections) {
      if (selection.kind === Kind.FIELD) {
        requireAtMost('fields', ++this.#fields, queryFields)
        if (selection.alias !== undefined) requireAtMost('aliases', ++this.#aliases, queryAliases)
        const name = (selection.alias ?? selection.name).value
        if (names.has(name)) requireAtMost('repeated fields', ++this.#repeats, queryRepeats)
        names.add(name)
        // Introspection is deep by nature; GraphQL's own rules bound what of it can multiply.
        const isIntrospection = selection.name.value === '__schema' || selection.name.value === '__type'
        requireAtMost('levels', depth, queryDepth)
        if (selection.selectionSet)
          this.add(selection.selectionSet, isIntrospection ? -introspectionDepth : depth + 1, new Set())
      } else {
        // A fragment that holds itself is for validation to refuse; this bound only keeps the walk finite until then.
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
