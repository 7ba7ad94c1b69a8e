import {
  type ArgumentNode,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'

/**
 * Copies a document and sets `after` of its subscription to a cursor, whether the document has a variable, a text or
 * nothing there. An EventSource can only send the same request again; with this it goes on after the last event that it
 * saw.
 *
 * @param document a valid one
 */
export function resumeAfter(schema: GraphQLSchema, document: DocumentNode, cursor: string): DocumentNode {
  const types = new TypeInfo(schema)
  const after: ArgumentNode = {
    kind: Kind.ARGUMENT,
    name: { kind: Kind.NAME, value: 'after' },
    value: { kind: Kind.STRING, value: cursor },
  }
  return visit(
    document,
    visitWithTypeInfo(types, {
      Field(field) {
        const isResumable =
          types.getParentType() === schema.getSubscriptionType() &&
          types.getFieldDef()?.args.some(({ name }) => name === 'after')
        if (!isResumable) return undefined
        const others = field.arguments?.filter(({ name }) => name.value !== 'after') ?? []
        return { ...field, arguments: [...others, after] }
      },
    }),
  )
}
