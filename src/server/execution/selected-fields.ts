import {
  defaultFieldResolver,
  type FieldNode,
  type GraphQLAbstractType,
  GraphQLBoolean,
  type GraphQLField,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLString,
  getNamedType,
  isAbstractType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql'
import { DateTimeScalar } from '../../graphql/input/scalars.ts'

type AnyField = GraphQLField<unknown, unknown>

/** A field as it is selected of objects of one type. */
export interface Field {
  readonly key: string
  readonly name: string
  readonly nodes: readonly FieldNode[]
  readonly parent: GraphQLObjectType
  readonly definition: AnyField
  /** null: what the object has under the field's name is the answer. */
  readonly resolve: NonNullable<AnyField['resolve']> | null
  /** Whether anything that is called for this field is told about it. */
  readonly isTold: boolean
  readonly shape: Shape
  readonly selected: Map<GraphQLObjectType, readonly Field[]>
}

/** An output type, taken apart once. */
export type Shape = { readonly isRequired: boolean } & (
  | { readonly kind: 'leaf'; readonly type: GraphQLLeafType; readonly isExact: (value: unknown) => boolean }
  | { readonly kind: 'list'; readonly type: GraphQLOutputType; readonly item: Shape }
  | { readonly kind: 'object'; readonly type: GraphQLObjectType }
  | { readonly kind: 'abstract'; readonly type: GraphQLAbstractType }
)

/** What is selected of objects of one type, in the order of the answer. */
export function fieldsOf(
  schema: GraphQLSchema,
  parent: GraphQLObjectType,
  selected: Map<string, readonly FieldNode[]>,
): readonly Field[] {
  const fields: Field[] = []
  for (const [key, nodes] of selected) {
    const definition = definitionOf(schema, parent, nodes[0]?.name.value ?? key)
    if (definition === undefined) continue
    const { name, type } = definition
    // GraphQL reads arguments first, and they may be wrong.
    const resolve = definition.resolve ?? (definition.args.length > 0 ? defaultFieldResolver : null)
    const named = getNamedType(type)
    const isTold = resolve !== null || isAbstractType(named) || (isObjectType(named) && Boolean(named.isTypeOf))
    fields.push({
      key,
      name,
      nodes,
      parent,
      definition,
      resolve,
      isTold,
      shape: shapeOf(type),
      selected: isLeafType(named) ? nothing : new Map(),
    })
  }
  return fields
}

/** A field of a type, with those of introspection. */
export function definitionOf(schema: GraphQLSchema, parent: GraphQLObjectType, name: string): AnyField | undefined {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef
  if (parent === schema.getQueryType()) {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef
  }
  return parent.getFields()[name]
}

/** Beneath a leaf. */
const nothing: Field['selected'] = new Map()

const shapes = new WeakMap<GraphQLOutputType, Shape>()

function shapeOf(type: GraphQLOutputType): Shape {
  let shape = shapes.get(type)
  if (shape === undefined) {
    shape = takeApart(type)
    shapes.set(type, shape)
  }
  return shape
}

function takeApart(type: GraphQLOutputType): Shape {
  if (isNonNullType(type)) return { ...shapeOf(type.ofType), isRequired: true }
  const isRequired = false
  if (isListType(type)) return { isRequired, kind: 'list', type, item: shapeOf(type.ofType) }
  if (isLeafType(type)) return { isRequired, kind: 'leaf', type, isExact: exactValues(type) }
  if (isAbstractType(type)) return { isRequired, kind: 'abstract', type }
  return { isRequired, kind: 'object', type }
}

/** Knows values that the type writes as they are; not all of them. */
function exactValues(type: GraphQLLeafType): (value: unknown) => boolean {
  if (type === GraphQLString || type === GraphQLID || type === DateTimeScalar) return isText
  if (type === GraphQLInt) return isInt
  if (type === GraphQLFloat) return Number.isFinite
  if (type === GraphQLBoolean) return isBoolean
  if (!isEnumType(type)) return isNever
  const values = type.getValues().map(({ value }): unknown => value)
  const exact = new Set(values.filter((value) => type.serialize(value) === value))
  return (value) => exact.has(value)
}

const isText = (value: unknown) => typeof value === 'string'
const isInt = (value: unknown) => typeof value === 'number' && (value | 0) === value
const isBoolean = (value: unknown) => typeof value === 'boolean'
const isNever = () => false
