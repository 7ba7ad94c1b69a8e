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
 * The document with `after` of its subscription set to this cursor, whatever stood there: a variable of any name, a text,
 * or nothing. So an EventSource, which can only ask the same again, goes on where it was.
 *
 * @param document valid
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
